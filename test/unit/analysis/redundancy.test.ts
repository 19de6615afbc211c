import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { effectiveCount, symmetricEigen } from '../../../src/analysis/eigen';
import { clusterOrder, cosines, divergences } from '../../../src/analysis/pairs';
import {
  drawnOf,
  drawnPlanes,
  kernelSkeleton,
  MAX_DRAWN,
  redundancyOf,
} from '../../../src/analysis/redundancy';
import { UserError } from '../../../src/errors';

interface Case {
  name: string;
  shape: number[];
  weight: number[];
  divergences: number[];
  cosines: number[];
  divergence: number;
  cosine: number;
  effectiveRank: number;
}

const cases: Case[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/redundancy.json'), 'utf8'),
);

const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32 - 0.5;
};

/** Means over all pairs as they are written, pair by pair. */
function pairwise(weight: Float32Array, taps: number) {
  const n = weight.length / taps;
  const rows = Array.from({ length: n }, (_, i) => [...weight.subarray(i * taps, (i + 1) * taps)]);
  const softmax = rows.map((row) => {
    const total = row.reduce((sum, w) => sum + Math.exp(w), 0);
    return row.map((w) => Math.exp(w) / total);
  });
  const norms = rows.map((row) => Math.hypot(...row));
  let [divergence, cosine] = [0, 0];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      for (let t = 0; t < taps; t++) {
        divergence += softmax[i][t] * Math.log(softmax[i][t] / softmax[j][t]);
        cosine += (rows[i][t] * rows[j][t]) / (norms[i] * norms[j]);
      }
    }
  return { divergence: divergence / (n * (n - 1)), cosine: cosine / (n * (n - 1)) };
}

describe.each(cases)('$name kernels', (c) => {
  const weight = Float32Array.from(c.weight);
  const taps = c.shape[2] * c.shape[3];
  const close = (got: ArrayLike<number>, expected: readonly number[]) => {
    expect(got).toHaveLength(expected.length);
    for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, 6);
  };

  test('have the figures of numpy and PyTorch', () => {
    const found = redundancyOf('conv', weight, c.shape);
    expect(found.divergence).toBeCloseTo(c.divergence, 10);
    expect(found.cosine).toBeCloseTo(c.cosine, 10);
    expect(found.effectiveRank).toBeCloseTo(c.effectiveRank, 6);
    expect(found.planes).toBe(c.shape[0] * c.shape[1]);
    expect([...found.kernels]).toEqual([...weight]);
  });

  test('have the pairs of PyTorch', () => {
    close(divergences(weight, taps), c.divergences);
    close(cosines(weight, taps), c.cosines);
  });
});

describe('redundancyOf', () => {
  test('is known by hand for two kernels of two taps', () => {
    // softmax gives (1/2, 1/2) and (1/4, 3/4)
    const kernels = Float32Array.of(7, 7, 0, Math.log(3));
    const pairs = divergences(kernels, 2);
    expect(pairs[1]).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 6);
    expect(pairs[2]).toBeCloseTo(0.25 * Math.log(0.5) + 0.75 * Math.log(1.5), 6);
    expect([pairs[0], pairs[3]]).toEqual([0, 0]);
    expect(redundancyOf('conv', kernels, [2, 1, 1, 2]).divergence).toBeCloseTo((pairs[1] + pairs[2]) / 2, 6);
  });

  test('stays finite for weights that overflow exp', () => {
    const kernels = Float32Array.of(2000, 0, 0, 2000);
    expect(divergences(kernels, 2)[1]).toBeCloseTo(2000, 3);
    expect(redundancyOf('conv', kernels, [2, 1, 1, 2]).divergence).toBeCloseTo(2000, 3);
  });

  test('has the figures of all planes, of which a picture shows some of every input channel', () => {
    const [o, i] = [64, 16];
    const next = random(3);
    // what depends on the input channel is what an even stride over 1,024 planes would miss
    const weight = Float32Array.from({ length: o * i * 4 }, (_, at) => next() * (Math.floor(at / 4) % 16));
    for (let t = 0; t < 4; t++) weight[t] = 1;
    const found = redundancyOf('conv', weight, [o, i, 2, 2]);
    const expected = pairwise(
      weight.map((w) => w || 1e-30),
      4,
    );
    expect(found.divergence).toBeCloseTo(expected.divergence, 9);
    expect(found.planes).toBe(1024);
    expect(found.drawn).toHaveLength(MAX_DRAWN);
    const inputs = [...found.drawn].map((plane) => plane % i);
    for (let channel = 0; channel < i; channel++) {
      const times = inputs.filter((input) => input === channel).length;
      expect(times).toBeGreaterThan(MAX_DRAWN / i / 3);
    }
    expect([...found.kernels.subarray(4)]).toEqual(
      [...found.drawn].slice(1).flatMap((plane) => [...weight.subarray(plane * 4, plane * 4 + 4)]),
    );
  });

  test('has the mean cosine of many planes', () => {
    const next = random(5);
    const weight = Float32Array.from({ length: 600 * 9 }, () => next() + 0.2);
    expect(redundancyOf('conv', weight, [30, 20, 3, 3]).cosine).toBeCloseTo(pairwise(weight, 9).cosine, 9);
  });

  test('kernels that are all the same are as redundant as can be, one kernel is with none', () => {
    const same = Float32Array.from({ length: 27 }, (_, i) => [1, -2, 3][i % 3]);
    const found = redundancyOf('conv', same, [9, 1, 1, 3]);
    expect(found.divergence).toBeCloseTo(0, 12);
    expect(found.cosine).toBeCloseTo(1, 12);
    expect(found.effectiveRank).toBeCloseTo(1, 6);
    expect(redundancyOf('conv', same.subarray(0, 9), [1, 1, 3, 3])).toMatchObject({
      divergence: 0,
      cosine: 0,
    });
  });

  test('a kernel of zeros has a cosine of 0 with all others, as PyTorch has it', () => {
    expect(redundancyOf('conv', Float32Array.of(0, 0, 1, 0, 1, 0), [3, 1, 1, 2]).cosine).toBeCloseTo(
      1 / 3,
      12,
    );
    expect([...cosines(Float32Array.of(0, 0, 1, 0), 2)]).toEqual([0, 0, 0, 1]);
    expect(redundancyOf('conv', new Float32Array(18), [2, 1, 3, 3]).effectiveRank).toBe(0);
  });

  test('refuses a shape that is not of its weight', () => {
    expect(() => redundancyOf('conv1', new Float32Array(9), [2, 1, 3, 3])).toThrow(UserError);
    expect(() => redundancyOf('fc', new Float32Array(9), [9])).toThrow(/fc has shape \[9\]/);
  });
});

test('drawn planes are different ones, in order, within the layer', () => {
  for (const planes of [513, 1000, 4096, 262_144]) {
    const drawn = drawnPlanes(planes);
    expect(new Set(drawn).size).toBe(MAX_DRAWN);
    expect([...drawn]).toEqual([...drawn].sort((a, b) => a - b));
    expect(drawn[MAX_DRAWN - 1]).toBeLessThan(planes);
  }
  expect([...drawnPlanes(3)]).toEqual([0, 1, 2]);
});

test('of large kernels fewer are drawn, and all are measured', () => {
  const shape = [300, 1, 31, 31];
  const weight = Float32Array.from({ length: 300 * 961 }, (_, i) => Math.sin(i * i));
  const found = redundancyOf('large', weight, shape);
  expect(found.drawn.length).toBe(Math.floor(Math.sqrt(2 ** 24 / 961)));
  expect(found.kernels).toHaveLength(found.drawn.length * 961);
  expect(found.divergence).toBeCloseTo(pairwise(weight.subarray(0, 40 * 961), 961).divergence, 1);
  expect(found.effectiveRank).toBeNaN();
  expect(drawnOf([9999, 1, 7, 7])).toHaveLength(512);
});

test('kernelSkeleton is the sum of |W| a tap', () => {
  const skeleton = kernelSkeleton('conv', Float32Array.of(1, -2, 3, 4, -5, 0, 1, 2), [2, 1, 2, 2]);
  expect([...skeleton]).toEqual([6, 2, 4, 6]);
});

describe('symmetricEigen', () => {
  test('takes a matrix apart: values by size, vectors of length 1 that it only stretches', () => {
    const n = 12;
    const next = random(7);
    const a = new Float64Array(n * n);
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = next();
    const { values, vectors } = symmetricEigen(a, n);
    expect([...values]).toEqual([...values].sort((x, y) => y - x));
    for (let k = 0; k < n; k++) {
      const v = vectors.subarray(k * n, (k + 1) * n);
      expect(Math.hypot(...v)).toBeCloseTo(1, 12);
      for (let i = 0; i < n; i++) {
        const stretched = v.reduce((sum, x, j) => sum + a[i * n + j] * x, 0);
        expect(stretched).toBeCloseTo(values[k] * v[i], 12);
      }
    }
  });

  test('leaves a diagonal as it is', () => {
    const { values, vectors } = symmetricEigen([1, 0, 0, 5], 2);
    expect([...values]).toEqual([5, 1]);
    expect([...vectors]).toEqual([0, 1, 1, 0]);
  });
});

test('effectiveCount is the number of equal parts, and less of unequal ones', () => {
  expect(effectiveCount([2, 2, 2, 2])).toBeCloseTo(4, 12);
  expect(effectiveCount([3, 0, 0])).toBe(1);
  expect(effectiveCount([0.9, 0.1])).toBeCloseTo(Math.exp(-0.9 * Math.log(0.9) - 0.1 * Math.log(0.1)), 12);
  expect(effectiveCount([0, 0])).toBe(0);
});

describe('clusterOrder', () => {
  test('puts the members of planted clusters side by side', () => {
    const next = random(9);
    const n = 60;
    const kernels = new Float32Array(n * 9);
    for (let i = 0; i < n; i++)
      for (let t = 0; t < 9; t++) kernels[i * 9 + t] = 3 * Math.sin((i % 4) * 9 + t) + 0.2 * next();
    const order = clusterOrder(divergences(kernels, 9), n);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    const clusters = [...order].map((i) => i % 4);
    expect(clusters.filter((cluster, i) => i > 0 && cluster !== clusters[i - 1])).toHaveLength(3);
  });

  test('lays kernels on a line in the order of the line', () => {
    const at = [5, 0, 3, 1, 4, 2, 6];
    const pairs = Float32Array.from({ length: 49 }, (_, i) => Math.abs(at[Math.floor(i / 7)] - at[i % 7]));
    const line = [...clusterOrder(pairs, 7)].map((i) => at[i]);
    expect(line[0] === 0 ? line : line.reverse()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('comes to an end with numbers that are none', () => {
    expect([...clusterOrder(new Float32Array(25).fill(Number.NaN), 5)].sort()).toEqual([0, 1, 2, 3, 4]);
    expect([...clusterOrder(new Float32Array(1), 1)]).toEqual([0]);
    expect([...clusterOrder(new Float32Array(0), 0)]).toEqual([]);
  });
});
