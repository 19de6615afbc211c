import { expect, test } from 'vitest';
import {
  flipsBetween,
  holm,
  mcnemar,
  meanInterval,
  meanP,
  studentQuantile,
  wilsonInterval,
} from '../../../src/analysis/uncertainty';

// scipy.stats.binomtest(right, n).proportion_ci(method='wilson')
test.each([
  [8, 10, 0.490162, 0.943318],
  [0, 10, 0, 0.277533],
  [10, 10, 0.722467, 1],
  [1, 2, 0.094531, 0.905469],
  [850, 1000, 0.826531, 0.87079],
])("%i of %i right: Wilson's interval", (right, n, low, high) => {
  const [from, to] = wilsonInterval(right, n);
  expect(from).toBeCloseTo(low, 5);
  expect(to).toBeCloseTo(high, 5);
});

test('the interval holds the share and stays within 0 and 1', () => {
  // rounding: of 10 all right would reach a little less than 1, of 7 none right a little more than 0
  for (const n of [1, 3, 7, 10, 17, 100_000]) {
    for (const right of [0, 1, n - 1, n].filter((k) => k >= 0)) {
      const [low, high] = wilsonInterval(right, n);
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
      expect(low).toBeLessThanOrEqual(right / n);
      expect(high).toBeGreaterThanOrEqual(right / n);
    }
  }
});

// 2 * sum(math.comb(n, k) for k in range(min(a, b) + 1)) / 2**n, exact in Python
test.each([
  [0, 0, 1],
  [5, 5, 1],
  [1, 0, 1],
  [6, 0, 0.03125],
  [10, 2, 0.03857421875],
  [2, 10, 0.03857421875],
  [120, 80, 0.0056852],
  [3000, 2800, 0.008969],
])("%i gained and %i lost: McNemar's exact p", (gained, lost, p) => {
  expect(mcnemar(gained, lost)).toBeCloseTo(p, 5);
});

test('flips are counted by image', () => {
  const told = (...pairs: [label: string, predicted: string][]) =>
    pairs.map(([label, predicted], image) => ({ image, label, predicted, probability: 1 }));
  const before = told(['a', 'a'], ['a', 'b'], ['b', 'a'], ['b', 'b'], ['b', 'a']);
  const after = told(['a', 'b'], ['a', 'a'], ['b', 'b'], ['b', 'b'], ['b', 'a']);
  expect(flipsBetween(before, after)).toEqual({ gained: 2, lost: 1, p: 1 });
});

// scipy.stats.t.ppf(0.975, freedom)
test.each([
  [1, 12.7062047361747],
  [2, 4.30265272974946],
  [3, 3.18244630528371],
  [4, 2.7764451051978],
  [5, 2.57058183563631],
  [9, 2.2621571627982],
  [10, 2.22813885198627],
  [99, 1.98421695158642],
])("Student's 97.5th percentile with %i degrees of freedom", (freedom, expected) => {
  expect(studentQuantile(freedom)).toBeCloseTo(expected, 10);
});

test('an interval for a mean', () => {
  // scipy.stats.ttest_1samp([0.012, 0.004, 0.019], 0).confidence_interval()
  const [low, high] = meanInterval([0.012, 0.004, 0.019])!;
  expect(low).toBeCloseTo(-0.006978161828914335, 12);
  expect(high).toBeCloseTo(0.030311495162247667, 12);
  expect(meanInterval([0.5])).toBeUndefined();
});

test('the P of a mean, and what is left of several', () => {
  // of differences of two accuracies over five seeds; the integral of Student's density, by numpy
  const p = meanP([-0.0024, -0.0014, -0.0004, -0.0018, -0.0004]);
  expect(p).toBeCloseTo(0.03115382, 6);
  const [, high] = meanInterval([-0.0024, -0.0014, -0.0004, -0.0018, -0.0004])!;
  expect(high < 0).toBe(p < 0.05);
  expect(meanP([0, 0, 0])).toBe(1);
  expect(meanP([0.5])).toBeNaN();
  // statsmodels.stats.multitest.multipletests(..., method='holm'): in their own order, none above one, none below a smaller one's
  expect(holm([0.04, 0.01, 0.03, 0.9])).toEqual(
    [0.09, 0.04, 0.09, 0.9].map((value) => expect.closeTo(value)),
  );
  expect(holm([0.6, 0.7])).toEqual([1, 1]);
});
