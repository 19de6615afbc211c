import { combine, nearestCombination, weightsOfOthers } from './combination';
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

/** A group whose runs differ by more than that in their own length, in tolerances, cannot tell an error of a per cent. */
const CALM_LENGTH = 10;

/** Runs, the first among them, from which on they are also set against each other. */
const MANY_RUNS = 10;

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
 *   `nearestCombination`). Weights after steps need not be, since each step follows the jumps of the steps before;
 * - over the gradients, and over the tensors that one rule updates, that mean is as long as PyTorch's, within five
 *   tolerances. A wrong scale, learning rate, momentum or decay lengthens or shortens them all, jumps do not. A group whose
 *   runs are themselves of lengths that differ by more than a per cent says nothing of that: the calm ones do.
 *
 * Where there are more kinks than runs, no mean comes near: each run has jumps that no other has, PyTorch's numbers too. Then
 * they may be as far from the mean of the runs as the farthest run, taken for PyTorch's, is from the mean of the others. An
 * error that all runs share moves them away from PyTorch's and not from each other.
 *
 * Lengths need the calm groups because a run taken for PyTorch's lies beyond the farthest of eleven others one time in twelve,
 * in each group of each path, even if these are PyTorch's own. ShuffleNetV2 x0.5 refocused for three steps: from weights with
 * other last bits PyTorch comes to losses of 2.33 to 2.66 in float64 as in float32, and its runs, each taken for what is
 * expected of eleven others, failed 36 % of the time (13 % for a MobileNetV2 x0.1). With the calm groups alone at most 1 % fail, and
 * of lengths that are 1 % off at least 98 % are found, by the biases where the weights are in chaos.
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
      const means = meansOf(doubts, this.runs);
      return [...excuse(doubts, means, spreads), ...judgeLengths(lengths, means, spreads)];
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

/** Means of the runs, as weights. */
interface Means {
  /** nearest to what is expected */
  nearest: number[];
  /** of the other runs, nearest to each run; none while there are few */
  ofOthers: number[][];
}

function meansOf(doubts: readonly Doubt[], runs: number): Means {
  if (doubts.length === 0) return { nearest: new Array(runs).fill(1 / runs), ofOthers: [] };
  const samples = doubts.map(({ expectation: { expected, scale }, runs }) => ({ expected, scale, runs }));
  // below it runs count as equal
  const ridge = doubts[0].expectation.tolerance / 4;
  return {
    nearest: nearestCombination(samples, ridge),
    ofOthers: runs < MANY_RUNS ? [] : weightsOfOthers(samples, ridge),
  };
}

const excuse = (
  doubts: readonly Doubt[],
  { nearest, ofOthers }: Means,
  spreads: ReadonlyMap<Expectation, number>,
) =>
  doubts.map(({ expectation, runs }): Finding => {
    const { label, expected, tolerance, distance } = expectation;
    const combined = distance(combine(runs, nearest), expected);
    const error = Math.min(combined, ...runs.map((run) => distance(run, expected)));
    const others = ofOthers.map((weights, run) => distance(combine(runs, weights), runs[run]));
    const near = expectation.excuse === 'spread' || combined <= Math.max(NEAR * tolerance, ...others);
    const verdict = near && error <= spreads.get(expectation)! ? 'excused' : 'fail';
    return { label, verdict, error: expectation.excuse === 'near' ? combined : error, tolerance };
  });

/**
 * A finding for each group of directions: the median of how much too far the mean goes, the calm tensors counting more. Groups in
 * chaos are judged by how far apart the lengths of their runs are, and not at all beside calm ones.
 */
function judgeLengths(
  lengths: readonly Lengths[],
  means: Means,
  spreads: ReadonlyMap<Expectation, number>,
): Finding[] {
  const groups = [...new Set(lengths.map(({ direction }) => direction.group))].map((group) => ({
    group,
    ...lengthOf(
      lengths.filter(({ direction }) => direction.group === group),
      means,
      spreads,
    ),
  }));
  const isCalm = ({ range, tolerance }: (typeof groups)[number]) => range <= CALM_LENGTH * tolerance;
  const hasCalm = groups.some(isCalm);
  return groups.map((length) => {
    const { group, error, others, range, tolerance } = length;
    const allowed = isCalm(length) ? others : hasCalm ? Infinity : Math.max(others, range);
    const excusable = means.nearest.length > 1 && error <= Math.max(NEAR_LENGTH * tolerance, allowed);
    const verdict = error <= tolerance ? 'pass' : excusable ? 'excused' : 'fail';
    return { label: `the length of ${group}`, verdict, error, tolerance };
  });
}

/** How much too long a group is, how much the runs are as seen from each other, and how far apart their own lengths are, as shares. */
function lengthOf(
  members: readonly Lengths[],
  { nearest, ofOthers }: Means,
  spreads: ReadonlyMap<Expectation, number>,
) {
  const { tolerance } = members[0].expectation;
  /** of a mean's lengths from those of a run, or from what is expected */
  const excessOf = (weights: readonly number[], run?: number) =>
    median(
      members.map(({ expectation, excess }) => ({
        value: excess.reduce((sum, e, i) => sum + weights[i] * e, 0) - (run === undefined ? 0 : excess[run]),
        weight: 1 / ((spreads.get(expectation) ?? 0) ** 2 + tolerance ** 2),
      })),
    );
  const own = nearest.map((_, run) => excessOf(nearest.map((_, i) => Number(i === run))));
  return {
    tolerance,
    error: Math.abs(excessOf(nearest)),
    others: Math.max(0, ...ofOthers.map((weights, run) => Math.abs(excessOf(weights, run)))),
    range: Math.max(...own) - Math.min(...own),
  };
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
