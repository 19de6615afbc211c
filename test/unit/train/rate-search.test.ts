import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/data/random';
import { hasDiverged, type RatePoint, rateCsv, rateCurve } from '../../../src/train/rate-search';
import { learningRate } from '../../../src/train/schedule';

const STEPS = 100;
/** Rates from 1e-6 to 10, and the loss at each. */
const curve = (loss: (lr: number, i: number) => number): RatePoint[] =>
  Array.from({ length: STEPS }, (_, i) => {
    const lr = learningRate({ kind: 'exponential', lr: 1e-6, to: 10, steps: STEPS }, i);
    return { lr, loss: loss(lr, i) };
  });
/** Falls from 2.3 about that rate, within a decade or so; rises by the second. */
const valley = (fall: number, rise: number) => (lr: number) =>
  2.3 - 1.5 / (1 + (fall / lr) ** 1.5) + (lr / rise) ** 2;

test('the rates of a search go from the first to the last by equal factors', () => {
  const rates = curve(() => 1).map(({ lr }) => lr);
  expect(rates[0]).toBe(1e-6);
  expect(rates.at(-1)).toBeCloseTo(10, 9);
  for (let i = 1; i < STEPS; i++) expect(rates[i] / rates[i - 1]).toBeCloseTo(1e7 ** (1 / 99), 9);
});

describe('the suggestion', () => {
  test.each([
    [0.001, 1],
    [0.03, 5],
    [0.0001, 0.5],
  ])('is where the loss falls fastest, near %f', (fall, rise) => {
    const { suggestion, reason } = rateCurve(curve(valley(fall, rise)), STEPS);
    expect(suggestion).toBeGreaterThan(fall / 1.8);
    expect(suggestion).toBeLessThan(fall * 1.8);
    expect(reason).toContain('falls fastest');
  });

  test('is hardly moved by noise, and has two digits', () => {
    const noise = (i: number) => 0.1 * Math.sin(12.9898 * i * i);
    const { suggestion } = rateCurve(
      curve((lr, i) => valley(0.003, 2)(lr) + noise(i)),
      STEPS,
    );
    expect(suggestion).toBeGreaterThan(0.0003);
    expect(suggestion).toBeLessThan(0.03);
    expect(suggestion).toBe(Number(suggestion!.toPrecision(2)));
  });

  test('is a tenth of the rate above which the loss of a trained network rises', () => {
    const { suggestion, reason } = rateCurve(
      curve((lr) => 0.5 + (lr / 0.3) ** 2),
      STEPS,
    );
    expect(suggestion).toBeGreaterThan(0.002);
    expect(suggestion).toBeLessThan(0.006);
    expect(reason).toContain('hardly falls');
  });

  test('takes no fall for one that noise explains', () => {
    const random = new Random(3);
    const noisy = curve((lr) => 0.7 + random.uniform(-0.5, 0.5) + (lr / 0.3) ** 2);
    const { suggestion, reason } = rateCurve(noisy, STEPS);
    expect(reason).toContain('hardly falls');
    expect(suggestion).toBeGreaterThan(0.005);
    expect(suggestion).toBeLessThan(0.04);
  });

  test('is none where the search ended too soon, which is not for want of numbers', () => {
    const { suggestion, reason } = rateCurve(curve(() => 0.5).slice(0, 3), STEPS);
    expect([suggestion, reason]).toEqual([undefined, 'The search ended after too few steps to tell.']);
  });

  test('is none where nothing happens, or nothing is a number', () => {
    expect(
      rateCurve(
        curve(() => 0.5),
        STEPS,
      ),
    ).toMatchObject({ reason: expect.stringContaining('higher ones') });
    expect(
      rateCurve(
        curve(() => 0.5),
        STEPS,
      ).suggestion,
    ).toBeUndefined();
    const none = rateCurve(
      curve(() => Number.NaN),
      STEPS,
    );
    expect(none).toEqual({ points: [], reason: expect.stringContaining('lower rates') });
  });
});

describe('a search ends', () => {
  const of = (...losses: number[]) =>
    hasDiverged(
      losses.map((loss) => ({ lr: 1, loss })),
      10,
    );

  test('where the loss is no number or has left all sense, by several steps', () => {
    expect(of(2, Number.NaN)).toBe(true);
    expect(of(2, 2, 2, 1, 1, 1, 9, 9, 9)).toBe(true);
    expect(of(2, 2, 2, 1, 1, 1, 1, 1, 9)).toBe(false);
    // four times a small loss is less than guessing
    expect(of(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 2, 2, 2)).toBe(false);
    expect(of(2, 9)).toBe(false);
  });
});

test('the curve as a table', () => {
  const points = [{ lr: 0.001, loss: 2, smoothed: 1.5 }];
  expect(rateCsv({ points, reason: '' })).toBe('lr,loss,smoothed\r\n0.001,2,1.5\r\n');
});
