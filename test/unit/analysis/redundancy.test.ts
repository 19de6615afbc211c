import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  kernelSkeleton,
  MAX_DENSE_KERNELS,
  MAX_DEPTHWISE_KERNELS,
  planeOf,
  redundancyOf,
} from '../../../src/analysis/redundancy';
import { UserError } from '../../../src/errors';

/** The formulas as they are written, kernel by kernel. */
function naiveDivergence(kernels: number[][]): number[][] {
  const softmax = kernels.map((kernel) => {
    const total = kernel.reduce((sum, w) => sum + Math.exp(w), 0);
    return kernel.map((w) => Math.exp(w) / total);
  });
  return softmax.map((p) =>
    softmax.map((q) => p.reduce((sum, _, t) => sum + p[t] * Math.log(p[t] / q[t]), 0)),
  );
}

const weights = (length: number) =>
  fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: length, maxLength: length });

describe('redundancyOf', () => {
  test('is the naive formula', () => {
    const arbitrary = fc
      .record({
        o: fc.integer({ min: 1, max: 5 }),
        i: fc.integer({ min: 1, max: 3 }),
        kw: fc.constantFrom(2, 3, 5),
      })
      .chain((s) => weights(s.o * s.i * 3 * s.kw).map((w) => ({ ...s, w: Float32Array.from(w) })));
    fc.assert(
      fc.property(arbitrary, ({ o, i, kw, w }) => {
        const n = o * i;
        const kernels = Array.from({ length: n }, (_, k) => [...w.subarray(k * 3 * kw, (k + 1) * 3 * kw)]);
        const expected = naiveDivergence(kernels);
        const got = redundancyOf('conv', w, [o, i, 3, kw]);
        expect(got.kernels).toBe(n);
        expect(got.kernelSize).toEqual([3, kw]);
        let sum = 0;
        for (let a = 0; a < n; a++) {
          for (let b = 0; b < n; b++) {
            expect(got.divergence[a * n + b]).toBeCloseTo(expected[a][b], 5);
            if (a !== b) sum += expected[a][b];
          }
        }
        expect(got.mean).toBeCloseTo(n > 1 ? sum / (n * (n - 1)) : 0, 10);
      }),
      { numRuns: 50 },
    );
  });

  test('is known by hand for two kernels of two taps', () => {
    // softmax gives (1/2, 1/2) and (1/4, 3/4)
    const { divergence } = redundancyOf('conv', Float32Array.of(7, 7, 0, Math.log(3)), [2, 1, 1, 2]);
    expect(divergence[1]).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 6);
    expect(divergence[2]).toBeCloseTo(0.25 * Math.log(0.5) + 0.75 * Math.log(1.5), 6);
    expect(divergence[0]).toBe(0);
  });

  test('stays finite for weights that overflow exp', () => {
    const { divergence, mean } = redundancyOf('conv', Float32Array.of(2000, 0, 0, 2000), [2, 1, 1, 2]);
    expect(divergence[1]).toBeCloseTo(2000, 3);
    expect(mean).toBeCloseTo(2000, 3);
  });

  test('takes planes evenly where there are too many', () => {
    const [o, i] = [64, 16];
    // plane n has one number that makes its divergence from plane 0 grow with n
    const w = new Float32Array(o * i * 2);
    for (let n = 0; n < o * i; n++) w[n * 2] = n / 256;
    const got = redundancyOf('dense', w, [o, i, 1, 2]);
    expect(got.kernels).toBe(MAX_DENSE_KERNELS);
    const last = naiveDivergence([
      [0, 0],
      [1020 / 256, 0],
    ])[0][1];
    expect(got.divergence[MAX_DENSE_KERNELS - 1]).toBeCloseTo(last, 5);
    expect(redundancyOf('dw', new Float32Array(1200), [600, 1, 1, 2]).kernels).toBe(600);
    expect(redundancyOf('dw', new Float32Array(4000), [2000, 1, 1, 2]).kernels).toBe(MAX_DEPTHWISE_KERNELS);
  });

  test('has the mean over all planes, also where some alone are compared one by one', () => {
    const [o, i] = [26, 11];
    expect(o * i).toBeGreaterThan(MAX_DENSE_KERNELS);
    // a wave over the input channels, which an even sample could miss
    const weight = Float32Array.from({ length: o * i * 4 }, (_, at) => Math.sin(at * 1.7) * (at % 3));
    const kernels = Array.from({ length: o * i }, (_, k) => [...weight.subarray(4 * k, 4 * k + 4)]);
    const sum = naiveDivergence(kernels)
      .flat()
      .reduce((a, b) => a + b);
    const found = redundancyOf('conv', weight, [o, i, 2, 2]);
    expect(found.mean).toBeCloseTo(sum / (o * i * (o * i - 1)), 9);
    expect([found.planes, found.kernels, found.inputs]).toEqual([286, 256, 11]);
    expect(planeOf(found, 255)).toBe(284);
    const pair = naiveDivergence([kernels[0], kernels[284]]);
    expect(found.divergence[255]).toBeCloseTo(pair[0][1], 6);
  });

  test('refuses a shape that is not of its weight', () => {
    expect(() => redundancyOf('conv1', new Float32Array(9), [2, 1, 3, 3])).toThrow(UserError);
    expect(() => redundancyOf('fc', new Float32Array(9), [9])).toThrow(/fc has shape \[9\]/);
  });
});

test('kernelSkeleton is the mean |W| a tap', () => {
  expect([...kernelSkeleton('conv', Float32Array.of(1, -2, 3, 4, -5, 0, 1, 2), [2, 1, 2, 2])]).toEqual([
    3, 1, 2, 3,
  ]);
});
