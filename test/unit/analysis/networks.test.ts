/** Analyses of whole networks, against numpy and PyTorch where they have an answer (test/fixtures/make_analysis.py). */
import { expect, test } from 'vitest';
import { attacked } from '../../../src/analysis/attack';
import { calibrationOf } from '../../../src/analysis/calibration';
import { centredGram, MinibatchCka } from '../../../src/analysis/cka';
import { gridOf, normaliseFilters, pointAt } from '../../../src/analysis/landscape';
import { answers, fitRidge, linearProbe, RIDGES } from '../../../src/analysis/linear-probe';
import { hessianProduct, largestEigenvalue } from '../../../src/analysis/sharpness';
import { weightChange } from '../../../src/analysis/weight-change';
import fixture from '../../fixtures/analysis.json';

const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, within: number) => {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++)
    expect(Math.abs(actual[i] - expected[i]), `number ${i}`).toBeLessThanOrEqual(within);
};

const floats = (rows: readonly (readonly number[])[]) => rows.map((row) => Float32Array.from(row));

test('CKA over minibatches is numpy’s, by the formula of Song et al.', () => {
  const { batches, matrix } = fixture.cka;
  const cka = new MinibatchCka([2, 3]);
  for (const { rows, a, b } of batches) cka.add([floats(a), floats(b)], rows);
  cka.matrix().forEach((row, i) => {
    close(row, matrix[i], 1e-6);
  });
});

test('CKA needs four images, and says nothing of features that are equal for all', () => {
  expect(() => centredGram(new Float32Array(6), 3)).toThrow('4 images');
  const cka = new MinibatchCka([1, 1]);
  cka.add([[new Float32Array(10).fill(3)], [Float32Array.from({ length: 5 }, (_, i) => i ** 2)]], 5);
  expect(cka.matrix()).toEqual([[Number.NaN]]);
});

test('the expected calibration error is numpy’s', () => {
  const { probability, right, error } = fixture.calibration;
  const told = probability.map((p, image) => ({
    image,
    label: 'a',
    predicted: right[image] ? 'a' : 'b',
    probability: p,
  }));
  expect(calibrationOf(told).error).toBeCloseTo(error, 12);
});

test('distance and angle are numpy’s; of small and of no changes too', () => {
  const { before, after, ...expected } = fixture.change;
  const change = weightChange(before, after);
  expect(change.distance).toBeCloseTo(expected.distance, 8);
  expect(change.relative).toBeCloseTo(expected.relative, 8);
  expect(change.angle).toBeCloseTo(expected.angle, 6);
  expect(weightChange([1, 2], [1, 2])).toEqual({ distance: 0, relative: 0, angle: 0 });
  // an arc cosine would lose half of the digits of a small angle
  expect(weightChange([1, 0], [1, 1e-7]).angle / ((180 / Math.PI) * 1e-7)).toBeCloseTo(1, 6);
  expect(weightChange([1, 0], [-2, 0]).angle).toBeCloseTo(180, 10);
  expect(weightChange([0, 0], [1, 0])).toEqual({
    distance: 1,
    relative: Number.POSITIVE_INFINITY,
    angle: Number.NaN,
  });
});

test('ridge regression answers as numpy’s, which solves it by features and not by images', () => {
  const { features, labels, classes, ridge, test, answers: expected } = fixture.probe;
  const map = fitRidge({ features: floats(features), labels }, classes, ridge);
  floats(test).forEach((row, i) => {
    close(answers(map, row), expected[i], 1e-6);
  });
});

test('a probe tells classes that features hold, and no others', () => {
  const set = (holds: number, offset: number) => {
    const features = Array.from({ length: 60 }, (_, i) =>
      Float32Array.from(
        { length: 8 },
        (_, k) => Math.sin(17.3 * (i + offset) * (k + 1)) + (k === i % 3 ? holds : 0),
      ),
    );
    return { features, labels: features.map((_, i) => i % 3) };
  };
  const told = linearProbe(set(5, 0), set(5, 100), 3);
  expect(told.accuracy).toBe(1);
  expect(RIDGES).toContain(told.ridge);
  expect(linearProbe(set(0, 0), set(0, 100), 3).accuracy).toBeLessThan(0.6);
});

test('filters of a direction have the norms of the weight’s; vectors do not move', () => {
  const { shape, weight, direction, normalised } = fixture.filters;
  const made = Float32Array.from(direction);
  normaliseFilters(made, weight, shape);
  close(made, normalised, 1e-6);
  const bias = Float32Array.of(1, 2);
  normaliseFilters(bias, [3, 4], [2]);
  expect([...bias]).toEqual([0, 0]);
  const still = Float32Array.of(0, 0, 1, 1);
  normaliseFilters(still, [1, 1, 0, 0], [2, 2]);
  expect([...still]).toEqual([0, 0, 0, 0]);
});

test('a grid is symmetric about an exact zero, and its points lie along the directions', () => {
  expect(gridOf(5, 1)).toEqual([-1, -0.5, 0, 0.5, 1]);
  const point = pointAt(Float32Array.of(1, 1), [Float32Array.of(1, 0), Float32Array.of(0, 4)], [2, 0.5]);
  expect([...point]).toEqual([3, 3]);
});

/** f(x) = x A x / 2 + b x, whose gradient is A x + b and whose Hessian is A. */
const quadratic = (matrix: number[][], linear: number[]) => async (x: Float32Array) =>
  Float64Array.from(matrix, (row, i) => row.reduce((sum, a, j) => sum + a * x[j], linear[i]));

test.each([
  [
    'a bowl',
    [
      [3, 1, 0],
      [1, 2, 0.5],
      [0, 0.5, 1],
    ],
    3.644972,
  ],
  [
    'a saddle whose steepest direction goes down',
    [
      [-5, 0, 0],
      [0, 2, 1],
      [0, 1, 2],
    ],
    3,
  ],
  [
    'a hill, whose largest is the least steep',
    [
      [-4, 0, 0],
      [0, -1, 0],
      [0, 0, -2],
    ],
    -1,
  ],
])('the largest eigenvalue of %s is exact', async (_, matrix, expected) => {
  const product = hessianProduct(quadratic(matrix, [1, -2, 3]), Float32Array.of(0.5, -1, 2), 0.25);
  const found = await largestEigenvalue(product, Float64Array.of(1, 0.7, -0.4), {
    most: 200,
    tolerance: 1e-9,
  });
  expect(found.value).toBeCloseTo(expected, 4);
  expect(found.converged).toBe(true);
  expect(found.residual).toBeLessThan(1e-2);
});

test('an iteration that is cut short says so, and a function without curvature has none', async () => {
  const slow = hessianProduct(
    quadratic(
      [
        [2, 0],
        [0, 1.9],
      ],
      [0, 0],
    ),
    Float32Array.of(1, 1),
  );
  expect(await largestEigenvalue(slow, Float64Array.of(1, 1), { most: 2, tolerance: 1e-9 })).toMatchObject({
    products: 2,
    converged: false,
  });
  const flat = hessianProduct(
    quadratic(
      [
        [0, 0],
        [0, 0],
      ],
      [1, 1],
    ),
    Float32Array.of(1, 1),
  );
  expect(await largestEigenvalue(flat, Float64Array.of(1, 1))).toMatchObject({ value: 0, converged: true });
});

test('an attack goes where the loss grows, within its distance and within what images hold', async () => {
  const clean = Float32Array.of(0.5, 0.5, 0.99, 0.01, 0.5);
  const seen: (number[] | null)[] = [];
  const gradient = async (images: Float32Array | null) => {
    seen.push(images && [...images]);
    return [2, -1, 3, -4, 0];
  };
  const once = await attacked(clean, gradient, { epsilon: 0.0625, step: 0.03125, steps: 1 });
  close(once, [0.53125, 0.46875, 1, 0, 0.5], 1e-7);
  expect(seen).toEqual([null]);
  const often = await attacked(clean, gradient, { epsilon: 0.0625, step: 0.03125, steps: 3 });
  close(often, [0.5625, 0.4375, 1, 0, 0.5], 1e-7);
  // each step looks anew
  expect(seen.slice(1).map((images) => images?.[0])).toEqual([undefined, 0.53125, 0.5625]);
});
