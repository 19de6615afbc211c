import { expect, it } from 'vitest';
import { generateBuiltin } from '../../src/data/builtin/builtin';
import { trainingOrder } from '../../src/data/order';
import { previewBatch } from '../../src/run/preview-batch';
import { parseSettings } from '../../src/train/settings';
import { gpu } from './harness';

const COUNT = 6;
const set = generateBuiltin({ split: 'train', count: 4 * COUNT });

const preview = (settings: object, epoch = 0) =>
  previewBatch(gpu, {
    train: { kind: 'builtin', split: 'train' },
    settings: parseSettings({ seed: 3, ...settings }),
    count: COUNT,
    epoch,
  });

it('shows images as they are where nothing changes them, in the order of the epoch', async () => {
  const { pixels, labels, width, height, augmentation } = await preview({ augment: 'none' }, 2);
  expect([width, height]).toEqual([32, 32]);
  // out of four times as many
  const order = trainingOrder(4 * COUNT, 3, 2).subarray(0, COUNT);
  const size = 32 * 32 * 3;
  for (const [n, image] of order.entries()) {
    const stored = set.pixels.subarray(image * size, (image + 1) * size);
    expect(pixels.subarray(n * size, (n + 1) * size)).toEqual(stored);
  }
  expect(labels).toEqual([...order].map((image) => set.classes[set.labels[image]]));
  expect(augmentation).toContain('none: images as they are');
});

it('shows what an epoch makes of them, and another epoch something else', async () => {
  const changes = { augment: 'photos', trivialAugment: true, randomErasing: 1, mixup: 0.3 };
  const once = await preview(changes, 0);
  expect((await preview(changes, 0)).pixels).toEqual(once.pixels);
  expect((await preview(changes, 1)).pixels).not.toEqual(once.pixels);
  expect(once.labels[0]).toMatch(/^\S.* \+ \S/);
  expect(once.augmentation).toContain('mixup 0.3');
});

it('shows what a network of one channel sees: the gray of each image', async () => {
  const { pixels } = await previewBatch(gpu, {
    train: { kind: 'builtin', split: 'train' },
    settings: parseSettings({ seed: 3, augment: 'none' }),
    model: { kind: 'random', network: { arch: 'resnet8_mlperf', kwargs: { in_chans: 1 } }, seed: 1 },
    count: COUNT,
    epoch: 2,
  });
  const size = 32 * 32 * 3;
  const [first] = trainingOrder(4 * COUNT, 3, 2);
  const stored = set.pixels.subarray(first * size, (first + 1) * size);
  for (let i = 0; i < size; i += 3) {
    // as Pillow makes it
    const gray = (19595 * stored[i] + 38470 * stored[i + 1] + 7471 * stored[i + 2] + 0x8000) >> 16;
    expect([...pixels.subarray(i, i + 3)]).toEqual([gray, gray, gray]);
  }
});
