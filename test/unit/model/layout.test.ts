import { describe, expect, test } from 'vitest';
import {
  activationLayout,
  engineShape,
  mapLayout,
  pack,
  plainLayout,
  unpack,
  vectorLayout,
  weightLayout,
} from '../../../src/model/layout';

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const range = (length: number) => Float32Array.from({ length }, (_, i) => i + 1);

describe('PyTorch’s shapes as the engine lays them', () => {
  test('activations: NCHW and NC to NHWC, channels up to a multiple of four', () => {
    const four = activationLayout([2, 3, 5, 7]);
    expect([engineShape(four), four.padded]).toEqual([
      [2, 5, 7, 3],
      [2, 5, 7, 4],
    ]);
    const two = activationLayout([2, 8]);
    expect([engineShape(two), two.padded]).toEqual([
      [2, 1, 1, 8],
      [2, 1, 1, 8],
    ]);
  });

  test('weights: OIHW and OI to HWIO, both channels up to a multiple of four but for groups', () => {
    const dense = weightLayout([5, 3, 2, 1]);
    expect([engineShape(dense), dense.padded]).toEqual([
      [2, 1, 3, 5],
      [2, 1, 4, 8],
    ]);
    const linear = weightLayout([5, 3]);
    expect([engineShape(linear), linear.padded]).toEqual([
      [1, 1, 3, 5],
      [1, 1, 4, 8],
    ]);
    expect(weightLayout([6, 1, 3, 3], 6).padded).toEqual([3, 3, 1, 8]);
  });

  test('vectors are flat, other tensors as they are', () => {
    expect(vectorLayout([5, 1, 1])).toEqual({ view: [5], order: [0], padded: [8] });
    expect(plainLayout([2, 3, 3])).toEqual({ view: [2, 3, 3], order: [0, 1, 2], padded: [2, 3, 4] });
  });

  test('a map lies as the basis that it belongs to', () => {
    // 10 filters over 3 channels in each of 2 groups: 30 planes, 15 of them in a group's map
    const layout = mapLayout([30, 15, 3, 3], [10, 3, 5, 5], 2);
    expect(engineShape(layout)).toEqual([3, 3, 15, 3, 10]);
    expect(layout.padded.slice(-2)).toEqual(weightLayout([10, 3, 5, 5], 2).padded.slice(-2));
  });
});

describe('numbers', () => {
  test('stand where their indices say, zeros in the padding', () => {
    const layout = weightLayout([2, 3, 1, 2]);
    const packed = pack(range(12), layout);
    expect(packed).toHaveLength(count(layout.padded));
    const [, width, inputs, outputs] = layout.padded;
    for (let w = 0; w < width; w++)
      for (let i = 0; i < inputs; i++)
        for (let o = 0; o < outputs; o++) {
          const expected = i < 3 && o < 2 ? (o * 3 + i) * 2 + w + 1 : 0;
          expect(packed[(w * inputs + i) * outputs + o]).toBe(expected);
        }
  });

  test.each([
    activationLayout([2, 3, 4, 5]),
    activationLayout([3, 7]),
    weightLayout([5, 6, 3, 2]),
    weightLayout([6, 1, 3, 3], 6),
    vectorLayout([7]),
    plainLayout([2, 9, 9]),
    mapLayout([6, 3, 3, 3], [6, 1, 3, 3], 2),
  ])('come back as they went: %j', (layout) => {
    const numbers = range(count(layout.view));
    expect(unpack(pack(numbers, layout), layout)).toEqual(numbers);
  });
});
