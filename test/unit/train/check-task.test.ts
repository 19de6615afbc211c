import { expect, test } from 'vitest';
import { generateBuiltin, generateImages } from '../../../src/data/builtin/builtin';
import { createModel } from '../../../src/model/zoo';
import { checkTask } from '../../../src/train/check-task';
import { defaultSettings } from '../../../src/train/settings';
import { forTask } from '../../../src/train/task';
import { runSettings } from '../../settings';

const scenes = await generateImages({ set: 'builtin-scenes', split: 'train', count: 4 });
const shapes = generateBuiltin({ split: 'train', count: 4 });
const unet = createModel('dw_unet');
const plain = runSettings({ cropPadding: 0, flip: false, cropScale: 1 });

test('a network for segmentation takes images of which masks are known', () => {
  checkTask(unet, [scenes, scenes], plain);
  expect(() => checkTask(unet, [scenes, shapes], plain)).toThrow(
    'dw_unet is a network for segmentation: it needs to know what is where in the images',
  );
});

test('what would change masks and boxes, or their loss, is named and refused', () => {
  const given = runSettings({ flip: true, cropPadding: 4, labelSmoothing: 0.1, balance: 'loss' });
  expect(() => checkTask(createModel('dw_detector'), [scenes], given)).toThrow(
    'dw_detector is a network for detection, which takes no augmentation, label smoothing or balance of classes: leave cropPadding, flip, labelSmoothing, balance out',
  );
});

test('images are of sides that the network can halve, and are not cropped', () => {
  for (const other of [
    { ...scenes, width: 20 },
    { ...scenes, crop: { top: 4, left: 4, height: 24, width: 24 } },
  ])
    expect(() => checkTask(unet, [other], plain)).toThrow('sides that are multiples of 8');
});

test('nothing is augmented where that is left open', () => {
  expect(forTask(defaultSettings(), unet).augment).toBe('none');
  expect(forTask({ ...defaultSettings(), augment: 'cifar' as const }, unet).augment).toBe('cifar');
  expect(forTask(defaultSettings(), createModel('resnet20_cifar')).augment).toBe('auto');
});
