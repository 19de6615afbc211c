import { combine, distancesFromOthers, nearestCombination, type Sample } from './combination';
import { norm, productOfDifferences } from './error';
import type { Direction, Expectation } from './expectations';

export type Verdict = 'pass' | 'excused' | 'fail';

/** What one measure of a case came to. */
export interface Finding {
  label: string;
  verdict: Verdict;
  error: number;
  tolerance: number;
}

type Results = ReadonlyMap<string, ArrayLike<number>>;

/** What float32's spread excuses in a gradient, and in the median length of a group's steps, in tolerances. */
const NEAR = 3;
const NEAR_LENGTH = 5;

/**
 * Runs, the first among them, from which on they are also set against each other, and how much further from the others'
 * span than the middle one of them PyTorch's numbers may be.
 */
const MANY_RUNS = 10;
const TYPICAL = 2;

/** Runs beside the first after which a case whose runs all agree has no kink near. */
const CALM_RUNS = 4;

/** A measure that the first run misses, and what each run has there. */
interface Doubt {
  expectation: Expectation;
  runs: ArrayLike<number>[];
}

/** A direction of a tensor, and by how much too far each run goes there, as a share. */
interface Lengths {
  expectation: Expectation;
  direction: Direction;
  excess: number[];
}

/**
 * Judges the runs of one case. The first is the engine's answer; runs from images and weights with other last bits show
 * what else float32 may answer, and so excuse where that differs by more than a tolerance. An excuse needs all of this:
 * - the runs are as far from each other as PyTorch is from the nearest of them;
 * - a gradient: some weighted mean of the runs, the same for all gradients, is within three tolerances of PyTorch's (see
 *   `nearestCombination`). Where there are more kinks than runs none is, and each run has some that no other has: then the
 *   mean may be as far from PyTorch's as a run, taken for PyTorch's, is from such a mean of the others. An error that all
 *   runs share keeps its distance from PyTorch's and has none from each other. Weights after steps need not be near, since
 *   each step follows the jumps of the steps before;
 * - over the gradients, and over the tensors that one rule updates, that mean is as long as PyTorch's, within five
 *   tolerances. A wrong scale, learning rate, momentum or decay lengthens or shortens them all, jumps do not.
 */
export class Judgement {
  private readonly findings: Finding[] = [];
  private readonly doubts: Doubt[] = [];
  private readonly lengths: Lengths[] = [];
  private runs = 0;

  constructor(expectations: readonly Expectation[], first: Results) {
    for (const expectation of expectations) {
      const { key, label, expected, tolerance, excuse, distance, direction } = expectation;
      const got = first.get(key);
      const error = got?.length === expected.length ? distance(got, expected) : Number.NaN;
      if (direction) this.lengths.push({ expectation, direction, excess: [] });
      if (got && error > tolerance && excuse !== 'none') this.doubts.push({ expectation, runs: [got] });
      else this.findings.push({ label, verdict: error <= tolerance ? 'pass' : 'fail', error, tolerance });
    }
    this.measure(first);
  }

  add(results: Results): void {
    for (const { expectation, runs } of this.doubts) runs.push(results.get(expectation.key)!);
    this.measure(results);
  }

  /** The verdicts on the runs so far. */
  get outcome(): Finding[] {
    const spreads = new Map(
      this.doubts.map(({ expectation, runs }) => [expectation, spreadOf(runs, expectation)]),
    );
    const judged = (['gradients', 'steps'] as const).map((part) => {
      const doubts = this.doubts.filter(({ expectation }) => expectation.part === part);
      const lengths = this.lengths.filter(({ expectation }) => expectation.part === part);
      const mean = meanOf(doubts, this.runs);
      return [...excuse(doubts, mean, spreads), ...judgeLengths(lengths, mean, spreads)];
    });
    return [...this.findings, ...judged.flat()];
  }

  /** Whether more runs would change nothing: none is needed, or the misses are none of float32's doing. */
  get isSettled(): boolean {
    const isOpen = this.outcome.slice(this.findings.length).some(({ verdict }) => verdict === 'fail');
    const isCalm = this.doubts.every(
      ({ expectation, runs }) => spreadOf(runs, expectation) <= expectation.tolerance,
    );
    return !isOpen || (this.runs > CALM_RUNS && isCalm);
  }

  private measure(results: Results): void {
    this.runs++;
    for (const { expectation, direction, excess } of this.lengths) {
      const got = results.get(expectation.key) ?? [];
      const zero = new Float32Array(direction.of.length);
      const along = productOfDifferences(got, expectation.expected, direction.of, zero);
      excess.push(along / norm(direction.of) ** 2);
    }
  }
}

/** The largest distance of two runs. */
const spreadOf = (runs: Doubt['runs'], { distance }: Expectation): number =>
  Math.max(0, ...runs.flatMap((a, i) => runs.slice(0, i).map((b) => distance(a, b))));

const samplesOf = (doubts: readonly Doubt[]): Sample[] =>
  doubts.map(({ expectation: { expected, scale }, runs }) => ({ expected, scale, runs }));

/** Distance below which runs count as equal. */
const ridgeOf = ([{ expectation }]: readonly Doubt[]): number => expectation.tolerance / 4;

/** The weights of the mean of the runs that is nearest to what is expected. */
function meanOf(doubts: readonly Doubt[], runs: number): number[] {
  if (doubts.length === 0) return new Array(runs).fill(1 / runs);
  return nearestCombination(samplesOf(doubts), ridgeOf(doubts));
}

/** How far from what is expected the mean of the runs may be, for each doubt. */
function allowances(doubts: readonly Doubt[]): number[] {
  const least = doubts.map(({ expectation }) => NEAR * expectation.tolerance);
  if (doubts.length === 0 || doubts[0].runs.length < MANY_RUNS) return least;
  const distances = distancesFromOthers(samplesOf(doubts), ridgeOf(doubts));
  return least.map((allowed, i) => {
    const middle = median(distances[i].map((value) => ({ value, weight: 1 })));
    return Math.max(allowed, TYPICAL * middle);
  });
}

function excuse(
  doubts: readonly Doubt[],
  mean: readonly number[],
  spreads: ReadonlyMap<Expectation, number>,
): Finding[] {
  const near = doubts.filter(({ expectation }) => expectation.excuse === 'near');
  const allowed = new Map(allowances(near).map((allowance, i) => [near[i], allowance]));
  return doubts.map((doubt) => {
    const { expectation, runs } = doubt;
    const { label, expected, tolerance, distance } = expectation;
    const combined = distance(combine(runs, mean), expected);
    const nearest = Math.min(combined, ...runs.map((run) => distance(run, expected)));
    const isNear = combined <= (allowed.get(doubt) ?? Number.POSITIVE_INFINITY);
    const verdict = isNear && nearest <= spreads.get(expectation)! ? 'excused' : 'fail';
    return { label, verdict, error: allowed.has(doubt) ? combined : nearest, tolerance };
  });
}

/** A finding for each group of directions: the median of how much too far the mean goes, the calm ones counting more. */
function judgeLengths(
  lengths: readonly Lengths[],
  mean: readonly number[],
  spreads: ReadonlyMap<Expectation, number>,
): Finding[] {
  return [...new Set(lengths.map(({ direction }) => direction.group))].map((group) => {
    const members = lengths.filter(({ direction }) => direction.group === group);
    const { tolerance } = members[0].expectation;
    const excesses = members.map(({ expectation, excess }) => ({
      value: excess.reduce((sum, e, i) => sum + mean[i] * e, 0),
      weight: 1 / ((spreads.get(expectation) ?? 0) ** 2 + tolerance ** 2),
    }));
    const error = Math.abs(median(excesses));
    const excusable = mean.length > 1 && error <= NEAR_LENGTH * tolerance;
    const verdict = error <= tolerance ? 'pass' : excusable ? 'excused' : 'fail';
    return { label: `the length of ${group}`, verdict, error, tolerance };
  });
}

/** The value below and above which lies half of the weight. */
function median(values: readonly { value: number; weight: number }[]): number {
  const sorted = [...values].sort((a, b) => a.value - b.value);
  const half = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2;
  let sum = 0;
  for (const { value, weight } of sorted) {
    sum += weight;
    if (sum >= half) return value;
  }
  return Number.NaN;
}
