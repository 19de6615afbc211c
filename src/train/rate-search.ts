/** What a search for a learning rate makes of its curve. */
import { csv } from '../io/csv';

/** A step of the search. */
export interface RatePoint {
  lr: number;
  /** of the step's batch */
  loss: number;
}

/** How a search goes: so many steps, at rates that grow by equal factors. */
export interface RateSearchOptions {
  /** first rate; default 1e-6 */
  from?: number;
  /** last rate; default 10 */
  to?: number;
  /** default 100 */
  steps?: number;
}

export const RATE_SEARCH = { from: 1e-6, to: 10, steps: 100 };

export interface RateCurve {
  points: (RatePoint & {
    /** the mean of the losses about it, by a Gaussian of 3 % of the steps asked for */
    smoothed: number;
  })[];
  /** two digits; absent where the curve says nothing */
  suggestion?: number;
  /** why it is that, or why there is none, a sentence */
  reason: string;
}

/** A fall of so much of the loss that the search began with is one, if it is more than noise. */
const FALL = 0.1;
/** A rise of so much above the loss that the search began with ends what is safe, if it is more than noise. */
const RISE = 0.05;
/** Standard errors of a smoothed loss that a fall or a rise must exceed. */
const ERRORS = 3;
/** A loss of so many times the lowest, and above that of guessing, has left all sense. */
const DIVERGED = 4;
/** Steps whose mean is the loss of the moment. */
const RECENT = 3;

/** Whether a search may end: its loss is no number or has left all sense. */
export function hasDiverged(points: readonly RatePoint[], classes: number): boolean {
  const losses = points.map(({ loss }) => loss);
  if (losses.some((loss) => !Number.isFinite(loss))) return true;
  if (losses.length < 2 * RECENT) return false;
  const means = losses.slice(RECENT - 1).map((_, i) => mean(losses.slice(i, i + RECENT)));
  return means.at(-1)! > Math.max(DIVERGED * Math.min(...means), 2 * Math.log(classes));
}

/**
 * The curve of a search and the rate that it suggests: where the smoothed loss falls by a tenth or more, the rate at which it
 * falls fastest in a decade; else, as of a network that is trained already, a tenth of the largest rate before it rises.
 * @param steps that the search was to have; what is no number is left out
 */
export function rateCurve(found: readonly RatePoint[], steps: number): RateCurve {
  const finite = found.filter(({ loss }) => Number.isFinite(loss));
  const width = Math.max(1, 0.03 * steps);
  const smoothed = smooth(
    finite.map(({ loss }) => loss),
    width,
  );
  const points = finite.map((point, i) => ({ ...point, smoothed: smoothed[i] }));
  if (points.length < 2 * RECENT) {
    const isShort = finite.length === found.length;
    const reason = isShort
      ? 'The search ended after too few steps to tell.'
      : 'The loss is no number from the first steps on: begin with lower rates.';
    return { points, reason };
  }
  const start = smoothed[0];
  const noise = ERRORS * errorOf(points, width);
  const lowest = smoothed.indexOf(Math.min(...smoothed));
  if (smoothed[lowest] < start - Math.max(FALL * start, noise)) {
    const slope = (i: number) => smoothed[i + 1] - smoothed[i - 1];
    let fastest = 1;
    for (let i = 1; i < Math.max(2, lowest); i++) if (slope(i) < slope(fastest)) fastest = i;
    const reason = `The loss falls fastest there; it is lowest at ${short(points[lowest].lr)}.`;
    return { points, suggestion: short(points[fastest].lr), reason };
  }
  const rises = smoothed.findLastIndex((loss) => loss <= start + Math.max(RISE * start, noise)) + 1;
  if (rises === points.length)
    return { points, reason: 'The loss neither falls nor rises at these rates: go on to higher ones.' };
  const last = points[Math.max(0, rises - 1)].lr;
  const reason = `The loss hardly falls at any rate, and rises above ${short(last)}: a tenth of that.`;
  return { points, suggestion: short(last / 10), reason };
}

/** A row a step: rate, loss of its batch, smoothed loss. */
export const rateCsv = ({ points }: RateCurve): string =>
  csv([['lr', 'loss', 'smoothed'], ...points.map(({ lr, loss, smoothed }) => [lr, loss, smoothed])]);

/** The standard error of a smoothed loss, by how the losses scatter about it before they leave all sense. */
function errorOf(points: RateCurve['points'], width: number): number {
  const near = points.filter(({ smoothed }) => smoothed <= 2 * points[0].smoothed);
  const scatter = near.map(({ loss, smoothed }) => Math.abs(loss - smoothed)).sort((a, b) => a - b);
  // of a normal distribution; a Gaussian of that width is a mean over 2 sqrt(pi) times as many
  return (1.48 * scatter[scatter.length >> 1]) / Math.sqrt(2 * Math.sqrt(Math.PI) * width);
}

/** Means with the weights of a Gaussian of that width, in steps. */
function smooth(losses: readonly number[], width: number): number[] {
  return losses.map((_, i) => {
    const weights = losses.map((_, k) => Math.exp(-(((k - i) / width) ** 2) / 2));
    return losses.reduce((sum, loss, k) => sum + weights[k] * loss, 0) / weights.reduce((a, b) => a + b, 0);
  });
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

const short = (x: number): number => Number(x.toPrecision(2));
