import { expect, test } from 'vitest';
import { augmentationSentence, decideAugmentation } from '../../../src/train/augmentation';
import { defaultSettings, parseSettings } from '../../../src/train/settings';

const decide = (given: object, set: { images: number; side: number }) =>
  decideAugmentation(parseSettings(given), set);

test.each([
  ['small images', { images: 100, side: 64 }, 'cifar'],
  ['few photos', { images: 9999, side: 65 }, 'photos'],
  ['many photos', { images: 10_000, side: 224 }, 'cifar'],
])('the default for %s', (_, set, name) => {
  expect(decide({}, set).augment).toBe(name);
});

const SMALL = { images: 1000, side: 32 };

test('a preset sets what is left to it, and nothing else', () => {
  const cifar = { augment: 'cifar', cropPadding: 4, cropScale: 1, flip: true, colorJitter: [0, 0, 0, 0] };
  expect(decide({ augment: 'cifar' }, SMALL)).toMatchObject(cifar);
  expect(decide({ flip: false }, SMALL)).toMatchObject({ ...cifar, flip: false });
  expect(decide({ augment: 'none' }, SMALL)).toMatchObject({ cropPadding: 0, cropScale: 1, flip: false });
  expect(decide({ augment: 'imagenet', flip: false }, SMALL)).toMatchObject({
    cropScale: 0.08,
    cropRatio: 4 / 3,
    cropPadding: 0,
    flip: false,
  });
});

test('of the two kinds of crop the one that is asked for is taken', () => {
  expect(decide({ augment: 'photos', cropPadding: 2 }, SMALL)).toMatchObject({
    cropScale: 1,
    cropPadding: 2,
  });
  expect(decide({ augment: 'cifar', cropScale: 0.4 }, SMALL)).toMatchObject({
    cropScale: 0.4,
    cropPadding: 0,
  });
  expect(() => parseSettings({ cropScale: 0.4, cropPadding: 2 })).toThrow('two kinds of crop');
});

test('the hue is turned by half the circle at most', () => {
  expect(() => parseSettings({ colorJitter: '0,0,0,0.6' })).toThrow('hue must be at most 0.5, not 0.6');
});

test('a run says what it does to its images', () => {
  const settings = { ...defaultSettings(), ...decide({ augment: 'photos' }, SMALL) };
  expect(augmentationSentence({ ...settings, mixup: 0.2 })).toBe(
    'Augmentation photos: crops of 50 to 100 % of the area, resized; horizontal flips; colour jitter of 0.2, 0.2, 0.2, 0.02; mixup 0.2 (--augment chooses another).',
  );
  const none = { ...defaultSettings(), ...decide({ augment: 'none' }, SMALL) };
  expect(augmentationSentence(none)).toContain('none: images as they are');
});
