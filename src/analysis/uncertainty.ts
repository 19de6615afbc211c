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

/**
 * An interval of a figure of `n` images, 95 %: between the percentiles of it over as many images drawn from these, with replacement
 * (Efron's bootstrap, 1979).
 * @param figure of images that count so often each
 * @param index a random number below n
 */
export function bootstrapInterval(
  n: number,
  figure: (times: ArrayLike<number>) => number,
  { draws, index }: { draws: number; index: (n: number) => number },
): Interval {
  const drawn = Array.from({ length: draws }, () => {
    const times = new Uint32Array(n);
    for (let i = 0; i < n; i++) times[index(n)]++;
    return figure(times);
  });
  drawn.sort((a, b) => a - b);
  const at = (share: number) => drawn[Math.round(share * (draws - 1))];
  return [at(0.025), at(0.975)];
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

/**
 * An interval of 95 % for the difference of two networks' accuracies on the same images, by what the second gained and lost: the
 * adjusted Wald interval of Bonett and Price (2012), which adds an image to each kind of flip.
 * @param n images, above 0
 */
export function pairedInterval({ gained, lost }: Pick<Flips, 'gained' | 'lost'>, n: number): Interval {
  const [more, less] = [(gained + 1) / (n + 2), (lost + 1) / (n + 2)];
  const half = Z * Math.sqrt((more + less - (more - less) ** 2) / (n + 2));
  return [Math.max(-1, more - less - half), Math.min(1, more - less + half)];
}

/** Two networks on the same test images: the accuracy of the second less that of the first, and what it is worth. */
export interface PairedComparison {
  images: number;
  difference: number;
  interval: Interval;
  flips: Flips;
}

/** Compares two networks image by image; undefined where they were not tested on the same images. */
export function comparePaired(
  before: readonly Prediction[] | undefined,
  after: readonly Prediction[] | undefined,
): PairedComparison | undefined {
  if (!before || !after || before.length !== after.length || after.length === 0) return undefined;
  const isSame = after.every(({ image, label }, i) => image === before[i].image && label === before[i].label);
  if (!isSame) return undefined;
  const flips = flipsBetween(before, after);
  const images = after.length;
  return {
    images,
    difference: (flips.gained - flips.lost) / images,
    interval: pairedInterval(flips, images),
    flips,
  };
}

/** Mean and sample standard deviation (n - 1 below it); of one number the deviation is NaN. */
export function meanAndDeviation(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : Number.NaN };
}

/** P(|T| <= t) of Student's t with whole degrees of freedom: Abramowitz and Stegun, 26.7.3 and 26.7.4. */
function studentWithin(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = freedom % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = isOdd ? 3 : 2; k < freedom; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}

/** The 97.5th percentile of Student's t distribution. @param freedom degrees of it, whole, above 0 */
export function studentQuantile(freedom: number): number {
  let [low, high] = [0, 13];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (studentWithin(middle, freedom) < 0.95) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Student's interval of 95 % for the mean of what the values are a sample of, as normally distributed; undefined for fewer than
 * two.
 * @param grain what the values are multiples of, as 1 / n of shares of n images: values that are equal only for being so coarse
 *   (their deviation is less than that of rounding, grain / sqrt(12)) have an interval all the same
 */
export function meanInterval(values: readonly number[], grain = 0): Interval | undefined {
  const n = values.length;
  if (n < 2) return undefined;
  const { mean, error } = meanAndError(values, grain);
  const half = studentQuantile(n - 1) * error;
  return [mean - half, mean + half];
}

/** P of Student's test that a mean is zero, of both sides: below 0.05 where `meanInterval` leaves zero out; NaN for fewer than two. */
export function meanP(values: readonly number[], grain = 0): number {
  const { mean, error } = meanAndError(values, grain);
  return mean === 0 ? 1 : 1 - studentWithin(Math.abs(mean) / error, values.length - 1);
}

function meanAndError(values: readonly number[], grain: number): { mean: number; error: number } {
  const { mean, deviation } = meanAndDeviation(values);
  return { mean, error: Math.max(deviation, grain / Math.sqrt(12)) / Math.sqrt(values.length) };
}

/** Holm's correction of the P of several tests for their number: below 0.05 the chance of any false one stays there. */
export function holm(all: readonly number[]): number[] {
  const order = all.map((_, i) => i).sort((a, b) => all[a] - all[b]);
  const corrected = new Array<number>(all.length);
  let highest = 0;
  for (const [rank, i] of order.entries()) {
    highest = Math.max(highest, Math.min(1, (all.length - rank) * all[i]));
    corrected[i] = highest;
  }
  return corrected;
}
