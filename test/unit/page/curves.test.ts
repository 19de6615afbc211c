import { describe, expect, test } from 'vitest';
import { debiasedEma } from '../../../src/analysis/smoothing';
import { toCsv } from '../../../src/page/csv';
import { bytes, duration, points, significant } from '../../../src/page/format';
import { buildCurve, logTicks } from '../../../src/page/run/curves';

describe('debiasedEma', () => {
  test('starts at the first value and keeps a constant', () => {
    expect(debiasedEma([3, 3, 3], 0.9)).toEqual([expect.closeTo(3), expect.closeTo(3), expect.closeTo(3)]);
  });

  test('is the weighted mean of all values so far', () => {
    const values = [1, 5, 2, 8];
    const weights = [0.6 ** 3, 0.6 ** 2, 0.6, 1];
    const sum = weights.reduce((a, b) => a + b);
    const mean = values.reduce((total, value, i) => total + value * weights[i], 0) / sum;
    expect(debiasedEma(values, 0.6).at(-1)).toBeCloseTo(mean, 12);
  });

  test('changes nothing at weight 0, and leaves what is not finite out', () => {
    expect(debiasedEma([4, 2], 0)).toEqual([4, 2]);
    expect(debiasedEma([4, Number.NaN, 4], 0.5)).toEqual([4, Number.NaN, 4]);
  });
});

describe('buildCurve', () => {
  const step = (n: number) => ({ step: n, epoch: n / 2, loss: n * 10, accuracy: 0.5, lr: 0.1 });
  const evaluation = (n: number) => ({ step: n, epoch: n / 2, accuracy: n / 10, loss: 1 });

  test('merges steps and evaluations in order, each x once', () => {
    const curve = buildCurve([1, 2, 4].map(step), [0, 2, 5].map(evaluation), {
      quantity: 'loss',
      axis: 'step',
      smoothing: 0,
    });
    expect(curve.x).toEqual([0, 1, 2, 4, 5]);
    expect(curve.raw).toEqual([undefined, 10, 20, 40, undefined]);
    expect(curve.test).toEqual([1, null, 1, null, 1]);
  });

  test('takes epochs and the base where asked', () => {
    const options = { quantity: 'accuracy', axis: 'epoch', smoothing: 0.9, base: 0.7 } as const;
    const curve = buildCurve([step(1)], [evaluation(2)], options);
    expect(curve.x).toEqual([0.5, 1]);
    expect(curve.base).toEqual([0.7, 0.7]);
    expect(curve.test).toEqual([null, 0.2]);
  });

  test('shows so many steps of a part, with what lies beside it, and averages over all of them', () => {
    const steps = Array.from({ length: 1000 }, (_, i) => step(i + 1));
    const evals = [100, 305, 900].map(evaluation);
    const options = { quantity: 'loss', axis: 'step', smoothing: 0.9 } as const;
    const whole = buildCurve(steps, evals, options);
    const part = buildCurve(steps, evals, { ...options, range: { min: 300, max: 400 }, most: 11 });
    expect(part.x).toEqual([299, 305, 309, 319, 329, 339, 349, 359, 369, 379, 389, 399, 401]);
    expect(part.test.filter((value) => value !== null)).toHaveLength(1);
    const averages = part.x.map((x) => whole.smoothed[whole.x.indexOf(x)]);
    expect(part.smoothed.map((value, i) => value ?? averages[i])).toEqual(averages);
    expect(part.smoothed[0]).toBeDefined();
  });

  test('ends where an x is not a number', () => {
    const broken = { ...step(1), epoch: Number.NaN };
    const curve = buildCurve([broken], [evaluation(1)], { quantity: 'loss', axis: 'epoch', smoothing: 0 });
    expect(curve.x).toHaveLength(1);
  });
});

test('log ticks are 1, 2 and 5 within the range', () => {
  expect(logTicks(0.15, 12)).toEqual([0.2, 0.5, 1, 2, 5, 10]);
});

test('CSV has a header, CRLF and empty cells for what is not there', () => {
  const rows = [
    [1, null, 0.25],
    [2, 1e-7, undefined],
  ];
  expect(toCsv(['step', 'a', 'b'], rows)).toBe('step,a,b\r\n1,,0.25\r\n2,1e-7,\r\n');
});

test('numbers read well', () => {
  const plain = (text: string) => text.replaceAll('\u00a0', ' ');
  expect(plain(bytes(61_400_000))).toBe('61.4 MB');
  expect(plain(bytes(999))).toBe('999 B');
  expect(plain(duration(59.2))).toBe('1 min 00 s');
  expect(plain(duration(7260))).toBe('2 h 01 min');
  expect(duration(Number.POSITIVE_INFINITY)).toBe('–');
  expect(plain(points(-0.012))).toBe('−1.20 points');
  expect(plain(points(0.012))).toBe('+1.20 points');
  expect(plain(points(-1e-17))).toBe('+0.00 points');
  expect(significant(2.1e-6)).toBe('2.10e−6');
  expect(significant(0.0342)).toBe('0.0342');
  expect(significant(2139.6)).toBe('2,140');
});
