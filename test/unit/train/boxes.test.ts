import { expect, test } from 'vitest';
import { CELL_NUMBERS } from '../../../src/ops/loss/detection';
import { decodeObjects, encodeObjects, gridOf } from '../../../src/train/boxes';

const grid = gridOf({ height: 16, width: 24 });
const cells = grid.rows * grid.columns;

/** Logits of a detector that tells what it is to tell. */
function logitsOf(targets: Float32Array, classes: number): Float32Array {
  const logits = new Float32Array(cells * 8).fill(0);
  for (let cell = 0; cell < cells; cell++) {
    const [label, , , , ...box] = targets.subarray(cell * CELL_NUMBERS, (cell + 1) * CELL_NUMBERS);
    logits.set(
      Array.from({ length: classes }, (_, c) => (c + 1 === label ? 4 : -4)),
      cell * 8,
    );
    logits.set(box, cell * 8 + classes);
  }
  return logits;
}

const encode = (objects: Parameters<typeof encodeObjects>[0]) => {
  const targets = new Float32Array(cells * CELL_NUMBERS);
  encodeObjects(objects, grid, targets);
  return targets;
};

test('what is encoded is decoded again, one box an object', () => {
  const objects = [
    { label: 2, left: 1, top: 2, right: 11, bottom: 13 },
    { label: 0, left: 17, top: 5, right: 22, bottom: 9 },
  ];
  const found = decodeObjects({ logits: logitsOf(encode(objects), 3), stride: 8, classes: 3, grid });
  expect(found).toHaveLength(2);
  for (const object of objects) {
    const { score, ...box } = found.find(({ label }) => label === object.label)!;
    expect(score).toBeCloseTo(1 / (1 + Math.exp(-4)));
    for (const side of ['left', 'top', 'right', 'bottom'] as const)
      expect(box[side]).toBeCloseTo(object[side], 4);
  }
});

test('a small object has a cell, and of two the smaller one has those that are both’s', () => {
  const tiny = encode([{ label: 0, left: 4, top: 4, right: 5, bottom: 5 }]);
  expect([...tiny].filter((_, i) => i % CELL_NUMBERS === 0)).toEqual(
    Array.from({ length: cells }, (_, cell) => (cell === grid.columns + 1 ? 1 : 0)),
  );
  const small = { label: 1, left: 5, top: 5, right: 11, bottom: 11 };
  const both = [{ label: 0, left: 0, top: 0, right: 16, bottom: 16 }, small];
  for (const order of [both, both.toReversed()])
    expect(encode(order)[(2 * grid.columns + 2) * CELL_NUMBERS]).toBe(2);
});

test('a score that is low is no detection', () => {
  const logits = new Float32Array(cells * 8).fill(-3);
  expect(decodeObjects({ logits, stride: 8, classes: 3, grid })).toEqual([]);
});
