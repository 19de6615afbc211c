import { expect, test } from 'vitest';
import { evaluationOrder } from '../../../src/data/order';
import type { ImagesInMemory } from '../../../src/data/types';
import { createModel } from '../../../src/model/zoo';
import { denseEvaluation, picturesOf } from '../../../src/run/dense';
import { picturesFile, readPictures } from '../../../src/run/pictures';

const SIDE = 8;
const AREA = SIDE * SIDE;
const COUNT = 10;

/** Images whose left half is of class a or b, with its box. */
const test_ = ((): ImagesInMemory => {
  const labels = Uint16Array.from({ length: COUNT }, (_, i) => i % 2);
  const masks = Uint8Array.from({ length: COUNT * AREA }, (_, i) =>
    i % SIDE < SIDE / 2 ? labels[Math.floor(i / AREA)] + 1 : 0,
  );
  const objects = [...labels].map((label) => [{ label, left: 0, top: 0, right: SIDE / 2, bottom: SIDE }]);
  const pixels = Uint8Array.from({ length: COUNT * AREA * 3 }, (_, i) => i % 251);
  return {
    ...{ pixels, labels, count: COUNT, height: SIDE, width: SIDE, classes: ['a', 'b'] },
    truth: { masks, objects },
  };
})();

/** Logits in an evaluation's order, of what is told of each pixel of an image. */
function pixelLogits(told: (image: number, pixel: number) => number): Float32Array {
  const logits = new Float32Array(COUNT * AREA * 4);
  evaluationOrder(COUNT).forEach((image, i) => {
    for (let pixel = 0; pixel < AREA; pixel++) logits[(i * AREA + pixel) * 4 + told(image, pixel)] = 1;
  });
  return logits;
}

const unet = createModel('dw_unet', { classes: 2 });
const truth = (image: number, pixel: number) => test_.truth!.masks[image * AREA + pixel];

test('masks that are those of the images have an IoU of 1 in each class, whatever the order', () => {
  const { classes, interval, seen } = denseEvaluation(pixelLogits(truth), unet, test_);
  expect(classes).toEqual(['(none)', 'a', 'b'].map((name) => ({ class: name, figure: 1 })));
  expect(interval).toEqual([1, 1]);
  expect(seen).toHaveLength(6);
  expect([...seen[1].mask!]).toEqual([...test_.truth!.masks.subarray(AREA, 2 * AREA)]);
});

test('masks that are wrong in some images have an interval about their mIoU', () => {
  const told = (image: number, pixel: number) => (image < 4 ? 0 : truth(image, pixel));
  const { classes, interval } = denseEvaluation(pixelLogits(told), unet, test_);
  // 6 of 10 left halves are found; the others are told to be of no class
  expect(classes.map(({ figure }) => figure)).toEqual([320 / 448, 0.6, 0.6]);
  expect(interval[0]).toBeLessThan(0.6);
  expect(interval[1]).toBeGreaterThan(0.7);
});

test('boxes that are those of the images have an average precision of 1', () => {
  const model = createModel('dw_detector', { classes: 2 });
  const logits = new Float32Array(COUNT * 4 * 8);
  evaluationOrder(COUNT).forEach((image, i) => {
    for (let cell = 0; cell < 4; cell++) {
      const label = test_.labels[image];
      const isThere = cell % 2 === 0;
      const scores = [0, 1].map((c) => (isThere && c === label ? 5 : -5));
      const y = cell < 2 ? 0.5 : -0.5;
      logits.set([...scores, 0, y, 0, Math.log(2)], (i * 4 + cell) * 8);
    }
  });
  const { classes, seen } = denseEvaluation(logits, model, test_);
  expect(classes).toEqual(['a', 'b'].map((name) => ({ class: name, figure: 1 })));
  expect(seen[3].boxes).toEqual([
    {
      ...{ label: 1, score: expect.closeTo(0.9933, 4), left: 0, top: expect.closeTo(0, 6) },
      ...{ right: 4, bottom: expect.closeTo(8, 6) },
    },
  ]);
});

test('pictures are read as they were written, and what is none is refused', async () => {
  const last = denseEvaluation(pixelLogits(truth), unet, test_);
  const pictures = await picturesOf(test_, unet, { last });
  expect(pictures.images).toHaveLength(6);
  expect(pictures.images[2]).toMatchObject({ pixels: test_.pixels.slice(2 * 3 * AREA, 3 * 3 * AREA) });
  const text = new TextDecoder().decode(picturesFile(pictures));
  const again = readPictures(text, 'pictures.json');
  expect(again.images[2].truth.mask).toEqual(last.seen[2].mask);
  expect(again).toMatchObject({ height: SIDE, width: SIDE, classes: ['a', 'b'] });
  expect(again.images[0].base).toBeUndefined();
  const changed = (change: (value: ReturnType<typeof JSON.parse>) => void) => {
    const value = JSON.parse(text);
    change(value);
    return JSON.stringify(value);
  };
  for (const bad of [
    'no json',
    '{}',
    changed((value) => (value.width = 9)),
    changed((value) => (value.images[0].last.mask = 'AAAA')),
    changed((value) => (value.images[0].truth = { boxes: [{ label: 'x' }] })),
  ])
    expect(() => readPictures(bad, 'pictures.json')).toThrow('pictures.json holds no pictures of a run');
});
