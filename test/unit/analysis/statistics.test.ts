import { expect, test } from 'vitest';
import { statisticsOf } from '../../../src/analysis/statistics';

test('numbers are told as numpy tells them', () => {
  const found = statisticsOf([0, 1, 2, 3, 0, 6]);
  expect(found).toMatchObject({ count: 6, min: 0, max: 6, mean: 2, zeros: 2, notFinite: 0 });
  expect(found.std).toBeCloseTo(2.0816659994661326, 12);
  const bins = found.histogram.length;
  expect(found.histogram[0]).toBe(2);
  expect(found.histogram[bins - 1]).toBe(1);
  expect(found.histogram[bins / 2]).toBe(1);
  expect(found.histogram.reduce((a, b) => a + b)).toBe(6);
});

test('what is not finite is counted and left out', () => {
  const found = statisticsOf(Float32Array.of(Number.NaN, 4, Number.POSITIVE_INFINITY, 4));
  expect(found).toMatchObject({ count: 4, min: 4, max: 4, mean: 4, std: 0, notFinite: 2 });
  expect(found.histogram[0]).toBe(2);
  expect(statisticsOf([Number.NaN])).toMatchObject({ min: Number.NaN, mean: Number.NaN, notFinite: 1 });
});
