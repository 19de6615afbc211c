import { describe, expect, test } from 'vitest';
import { buildModel } from '../../../src/model/builder';
import { batchSentence, lastBatch, passBatches, stepsPerEpoch, wholeBatch } from '../../../src/train/batches';
import { tinyModel } from '../fake-network';

const plain = buildModel({ name: 'plain', classes: 3 }, (net, x) => net.head('fc', net.globalAvgPool(x)));

const epochOf = (
  count: number,
  batch: number,
  { dropLast = false, repeats = 1, model = tinyModel } = {},
) => ({
  model,
  train: { count },
  settings: { batch, dropLast, repeats },
});
/** First image and number of images of each batch. */
const spans = (...args: Parameters<typeof epochOf>) =>
  passBatches(epochOf(...args)).map(({ first, rows }) => [first, rows]);

describe('the batches of an epoch', () => {
  test('take every image, those left over as a smaller last batch', () => {
    expect(spans(10, 4)).toEqual([
      [0, 4],
      [4, 4],
      [8, 2],
    ]);
    expect(lastBatch(epochOf(10, 4))).toBe(2);
  });

  test('are all of a size where nothing is left over', () => {
    expect(spans(8, 4)).toEqual([
      [0, 4],
      [4, 4],
    ]);
    expect(lastBatch(epochOf(8, 4))).toBeUndefined();
  });

  test('leave out what does not fill one where the last is dropped', () => {
    expect(spans(11, 4, { dropLast: true })).toHaveLength(2);
    expect(lastBatch(epochOf(11, 4, { dropLast: true }))).toBeUndefined();
  });

  test('are one of all images where there are fewer than a batch, dropped or not', () => {
    for (const dropLast of [false, true]) {
      const epoch = epochOf(5, 128, { dropLast });
      expect(wholeBatch(epoch)).toBe(5);
      expect(passBatches(epoch)).toEqual([{ first: 0, rows: 5 }]);
      expect(lastBatch(epoch)).toBeUndefined();
    }
    expect(spans(1, 128)).toEqual([[0, 1]]);
  });

  test('never are one image to a batch norm: it takes the one before it along', () => {
    expect(spans(9, 4).at(-1)).toEqual([7, 2]);
    expect(lastBatch(epochOf(9, 4))).toBe(2);
    // as large as the others
    expect(spans(5, 2).at(-1)).toEqual([3, 2]);
    expect(lastBatch(epochOf(5, 2))).toBeUndefined();
    expect(spans(9, 4, { model: plain }).at(-1)).toEqual([8, 1]);
    // asked for
    expect(spans(3, 1).at(-1)).toEqual([2, 1]);
  });

  test.each<[Parameters<typeof epochOf>, string]>([
    [[1, 128], 'One batch of 1 image an epoch.'],
    [[36, 128], 'One batch of 36 images an epoch.'],
    [[256, 128], 'Batches of 128 images.'],
    [[255, 128], 'Batches of 128 images, the last of an epoch of 127.'],
    [[255, 128, { dropLast: true }], 'Batches of 128 images; each epoch leaves out 127, which fill none.'],
    [[129, 128], 'Batches of 128 images, the last of an epoch of 2.'],
    [[3, 1], 'Batches of 1 image.'],
    [
      [12, 3, { repeats: 11 }],
      'Batches of 3 images. An epoch goes over the images 11 times, each time in another order, cropped and flipped anew: 44 steps.',
    ],
    [
      [7, 16, { repeats: 2 }],
      'One batch of 7 images. An epoch goes over the images 2 times, each time in another order, cropped and flipped anew: 2 steps.',
    ],
  ])('of %j are told', (given, sentence) => {
    expect(batchSentence(epochOf(...given))).toBe(sentence);
  });

  test.each([
    [1, 1],
    [7, 3],
    [128, 128],
    [129, 128],
    [255, 128],
  ])('%i images by %i: as many as there are steps, and every image is there', (count, batch) => {
    for (const dropLast of [false, true]) {
      const epoch = epochOf(count, batch, { dropLast });
      const batches = passBatches(epoch);
      expect(batches).toHaveLength(stepsPerEpoch(epoch));
      const seen = new Set(
        batches.flatMap(({ first, rows }) => Array.from({ length: rows }, (_, i) => first + i)),
      );
      expect(seen.size).toBe(dropLast ? count - (count % wholeBatch(epoch)) : count);
      expect(Math.max(...seen)).toBeLessThan(count);
    }
  });
});
