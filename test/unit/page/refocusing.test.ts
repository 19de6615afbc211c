import { expect, test } from 'vitest';
import { expandMap } from '../../../src/model/expand-map';
import { gramOf, refocus, timesGram } from '../../../src/model/refocus-math';
import { refocusOne, sumOfTerms } from '../../../src/page/explain/refocusing';

const noise = (seed: number) => (Math.sin(seed * 12.9898) * 43758.5453) % 1;

test.each([
  [3, 3, 3, 5],
  [5, 5, 3, 4],
  [7, 3, 1, 2],
  [3, 3, 3, 1],
])(
  'a kernel of %i x %i, map %i, %i kernels: as the model itself refocuses',
  (height, width, mapKernel, planes) => {
    const taps = height * width;
    const weights = Float64Array.from({ length: planes * taps }, (_, i) => noise(i + 1));
    const own = planes - 1;
    const tap = 1;
    const step = refocusOne({ weights, planes, height, width, mapKernel }, own, tap);

    const geometry = { basis: [planes, 1, height, width] as const, groups: planes, mapKernel };
    const m = new Float64Array(planes * taps);
    m.set(step.wish, own * taps);
    const map = expandMap(m, weights, geometry);
    const row = planes * mapKernel ** 2;
    expect(step.map).toEqual(map.slice(own * row, (own + 1) * row));
    const refocused = refocus(weights, map, geometry).subarray(own * taps);
    const short = timesGram(m, gramOf(weights, geometry), geometry).subarray(own * taps);
    for (let t = 0; t < taps; t++) {
      expect(step.basis[t] + step.change[t]).toBeCloseTo(refocused[t], 12);
      expect(step.short[t]).toBeCloseTo(short[t], 12);
      expect(step.change[t]).toBeCloseTo(step.short[t], 12);
    }
    expect(sumOfTerms(step.terms, taps, planes)).toEqual(step.change);
    expect(Math.max(...step.change.map(Math.abs))).toBeCloseTo(
      0.6 * Math.max(...step.basis.map(Math.abs)),
      12,
    );
  },
);

test('kernels of zeros are no division by zero', () => {
  const step = refocusOne(
    { weights: new Float32Array(18), planes: 2, height: 3, width: 3, mapKernel: 3 },
    0,
    4,
  );
  expect([...step.change, ...step.short, ...step.map].every((value) => value === 0)).toBe(true);
});
