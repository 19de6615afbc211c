import { combine, nearestCombination } from './combination';
import { norm, productOfDifferences } from './error';
import type { Expectation, Update } from './expectations';

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

/** Runs beside the first after which a case whose runs all agree has no kink near. */
const CALM_RUNS = 4;

/** A measure that the first run misses, and what each run has there. */
interface Doubt {
  expectation: Expectation;
  runs: ArrayLike<number>[];
}

/** A tensor that the steps move, and by how much too far each run moved it, as a share. */
interface Moved {
  expectation: Expectation;
  update: Update;
  excess: number[];
}

/**
 * Judges the runs of one case. The first is the engine's answer; runs from images and weights with other last bits show
 * what else float32 may answer, and so excuse where that differs by more than a tolerance. An excuse needs all of this:
 * - the runs are as far from each other as PyTorch is from the nearest of them;
 * - a gradient: some weighted mean of the runs, the same for all gradients, is within three tolerances of PyTorch's (see
 *   `nearestCombination`). Weights after steps need not be, since each step follows the jumps of the steps before;
 * - instead, over the tensors that one rule updates, the steps in that mean are as long as PyTorch's, within five
 *   tolerances. A wrong learning rate, momentum or decay lengthens or shortens them all, jumps do not.
 */
export class Judgement {
  private readonly findings: Finding[] = [];
  private readonly doubts: Doubt[] = [];
  private readonly moved: Moved[] = [];
  private runs = 0;

  constructor(expectations: readonly Expectation[], first: Results) {
    for (const expectation of expectations) {
      const { key, label, expected, tolerance, excuse, distance, update } = expectation;
      const got = first.get(key);
      const error = got?.length === expected.length ? distance(got, expected) : Number.NaN;
      if (update) this.moved.push({ expectation, update, excess: [] });
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
    const of = (part: Expectation['part']) =>
      this.doubts.filter(({ expectation }) => expectation.part === part);
    const steps = of('steps');
    const mean = meanOf(steps, this.runs);
    return [
      ...this.findings,
      ...excuse(of('gradients'), meanOf(of('gradients'), this.runs), spreads),
      ...excuse(steps, mean, spreads),
      ...judgeLengths(this.moved, mean, spreads),
    ];
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
    for (const { expectation, update, excess } of this.moved) {
      const got = results.get(expectation.key) ?? [];
      const zero = new Float32Array(update.change.length);
      const along = productOfDifferences(got, expectation.expected, update.change, zero);
      excess.push(along / norm(update.change) ** 2);
    }
  }
}

/** The largest distance of two runs. */
const spreadOf = (runs: Doubt['runs'], { distance }: Expectation): number =>
  Math.max(0, ...runs.flatMap((a, i) => runs.slice(0, i).map((b) => distance(a, b))));

/** The weights of the mean of the runs that is nearest to what is expected. */
function meanOf(doubts: readonly Doubt[], runs: number): number[] {
  if (doubts.length === 0) return new Array(runs).fill(1 / runs);
  const samples = doubts.map(({ expectation: { expected, scale }, runs }) => ({ expected, scale, runs }));
  return nearestCombination(samples, doubts[0].expectation.tolerance / 4);
}

const excuse = (
  doubts: readonly Doubt[],
  mean: readonly number[],
  spreads: ReadonlyMap<Expectation, number>,
) =>
  doubts.map(({ expectation, runs }): Finding => {
    const { label, expected, tolerance, distance } = expectation;
    const combined = distance(combine(runs, mean), expected);
    const error = Math.min(combined, ...runs.map((run) => distance(run, expected)));
    const near = expectation.excuse === 'spread' || combined <= NEAR * tolerance;
    const verdict = near && error <= spreads.get(expectation)! ? 'excused' : 'fail';
    return { label, verdict, error: expectation.excuse === 'near' ? combined : error, tolerance };
  });

/** A finding for each group of tensors: the median of how much too long their steps are, the calm ones counting more. */
function judgeLengths(
  moved: readonly Moved[],
  mean: readonly number[],
  spreads: ReadonlyMap<Expectation, number>,
): Finding[] {
  return [...new Set(moved.map(({ update }) => update.group))].map((group) => {
    const members = moved.filter(({ update }) => update.group === group);
    const { tolerance } = members[0].expectation;
    const excesses = members.map(({ expectation, excess }) => ({
      value: excess.reduce((sum, e, i) => sum + mean[i] * e, 0),
      weight: 1 / ((spreads.get(expectation) ?? 0) ** 2 + tolerance ** 2),
    }));
    const error = Math.abs(median(excesses));
    const excusable = mean.length > 1 && error <= NEAR_LENGTH * tolerance;
    const verdict = error <= tolerance ? 'pass' : excusable ? 'excused' : 'fail';
    return { label: `the length of the steps of ${group}`, verdict, error, tolerance };
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
