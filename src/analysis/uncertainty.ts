/** How much accuracies on few test images can be trusted. */
import type { Prediction } from './class-figures';

/** A range that holds the true value in about 95 of 100 samples. */
export type Interval = readonly [low: number, high: number];

/** The 97.5th percentile of the normal distribution. */
const Z = 1.959963984540054;

/**
 * Wilson's score interval (1927) of a share, 95 %: unlike the normal approximation it stays within 0 and 1, and has a width
 * where all or none are right.
 * @param right of `n`, which is above 0
 */
export function wilsonInterval(right: number, n: number): Interval {
  const share = right / n;
  const scale = 1 + Z ** 2 / n;
  const middle = (share + Z ** 2 / (2 * n)) / scale;
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n ** 2));
  // at the ends rounding may leave what is 0 or 1 a little beside it
  return [right === 0 ? 0 : middle - half, right === n ? 1 : middle + half];
}

/** Test images that two networks tell apart: what the second gained and lost against the first. */
export interface Flips {
  /** wrong before, right now */
  gained: number;
  /** right before, wrong now */
  lost: number;
  /**
   * McNemar's exact test (1947): how likely flips at least as uneven are where both networks are right equally often;
   * two-sided
   */
  p: number;
}

/** Flips between the predictions of two networks on the same images in the same order. */
export function flipsBetween(before: readonly Prediction[], after: readonly Prediction[]): Flips {
  let [gained, lost] = [0, 0];
  for (const [i, { label, predicted }] of after.entries()) {
    const wasRight = before[i].predicted === before[i].label;
    const isRight = predicted === label;
    if (isRight && !wasRight) gained++;
    if (wasRight && !isRight) lost++;
  }
  return { gained, lost, p: mcnemar(gained, lost) };
}

/** Twice the smaller tail of the binomial distribution of `gained + lost` fair coins, at most 1. */
export function mcnemar(gained: number, lost: number): number {
  const n = gained + lost;
  let logarithm = -n * Math.LN2;
  let tail = Math.exp(logarithm);
  for (let k = 1; k <= Math.min(gained, lost); k++) {
    logarithm += Math.log((n - k + 1) / k);
    tail += Math.exp(logarithm);
  }
  return Math.min(1, 2 * tail);
}
