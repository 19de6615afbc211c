/** What runs came to, arm by arm over their seeds, and how every two arms compare. */
import { type Interval, meanAndDeviation, meanInterval, meanP } from '../analysis/uncertainty';
import type { Experiment } from './experiment';
import type { RunResult } from './run-result';

/** Mean and sample standard deviation over seeds; of one seed the deviation is null. */
export interface Spread {
  values: number[];
  mean: number;
  deviation: number | null;
}

/** An arm over the seeds that have come to an end. */
export interface ArmResult {
  arm: string;
  label: string;
  about: string;
  seeds: number[];
  lr?: number;
  last?: Spread;
  /** chosen by the test images, so that it flatters */
  best?: Spread;
  stepMs?: Spread;
  seconds?: Spread;
  peakBytes?: number;
  divergence?: Spread;
  /** what its accuracies are shares of; absent where they are no shares of images */
  testImages?: number;
}

/** What a paired difference shows: `none` where its interval holds zero, `unknown` where there is none. */
export type Shown = 'better' | 'worse' | 'none' | 'unknown';

/** The accuracies of an arm less those of another, seed by seed. */
export interface Difference {
  differences: number[];
  mean: number;
  deviation: number | null;
  /** Student's, 95 %, over the seeds; null for fewer than two */
  interval: Interval | null;
  /** Student's, of both sides, that there is none: below 0.05 where the interval leaves zero out; null for fewer than two seeds */
  p: number | null;
  wins: number;
  losses: number;
  ties: number;
  shown: Shown;
}

export interface ArmComparison {
  arm: string;
  against: string;
  /** that both have */
  seeds: number[];
  last: Difference;
  best: Difference;
}

function spreadOf(values: number[]): Spread {
  const { mean, deviation } = meanAndDeviation(values);
  return { values, mean, deviation: Number.isFinite(deviation) ? deviation : null };
}

/** Accuracies of an arm by seed; of the base those that its runs measured before their first step. */
type Scores = ReadonlyMap<number, { last: number; best: number }>;

function scoresOf(experiment: Experiment, arm: string, runs: readonly RunResult[]): Scores {
  if (trains(experiment, arm))
    return new Map(runs.filter((run) => run.arm === arm).map(({ seed, accuracy }) => [seed, accuracy]));
  const starts = runs.filter((run) => startsFromBase(experiment, run.arm) && run.accuracy.base !== undefined);
  return new Map(
    experiment.seeds.flatMap((seed) => {
      const base = starts.find((run) => run.seed === seed)?.accuracy.base;
      return base === undefined ? [] : [[seed, { last: base, best: base }] as const];
    }),
  );
}

const armNamed = ({ arms }: Experiment, name: string) => arms.find((arm) => arm.name === name)!;
const trains = (experiment: Experiment, name: string): boolean =>
  armNamed(experiment, name).settings !== undefined;
const startsFromBase = (experiment: Experiment, name: string): boolean =>
  armNamed(experiment, name).from === undefined;

/** @param isShare whether accuracies are shares of the test images, as a classifier's are */
export function armResults(
  experiment: Experiment,
  runs: readonly RunResult[],
  isShare: boolean,
): ArmResult[] {
  const testImages = Math.min(...runs.map((run) => run.testImages));
  return experiment.arms.map(({ name, label, about }) => {
    const scores = scoresOf(experiment, name, runs);
    const own = runs.filter(({ arm }) => arm === name);
    const values = [...scores.values()];
    const peaks = own.flatMap(({ peakBytes }) => peakBytes ?? []);
    const divergences = own.map(({ divergence }) => divergence[1]).filter(Number.isFinite);
    const before = runs.map(({ divergence }) => divergence[0]).find(Number.isFinite);
    const ofBase = trains(experiment, name) || before === undefined ? [] : [before];
    const divergence = own.length > 0 ? divergences : ofBase;
    return {
      arm: name,
      label,
      about,
      seeds: [...scores.keys()],
      ...(own.length > 0 && {
        lr: own[0].lr,
        stepMs: spreadOf(own.map(({ stepMs }) => stepMs)),
        seconds: spreadOf(own.map(({ seconds }) => seconds)),
        ...(peaks.length > 0 && { peakBytes: Math.max(...peaks) }),
      }),
      ...(values.length > 0 && {
        last: spreadOf(values.map(({ last }) => last)),
        best: spreadOf(values.map(({ best }) => best)),
      }),
      ...(divergence.length > 0 && { divergence: spreadOf(divergence) }),
      ...(isShare && { testImages }),
    };
  });
}

export function comparisonsOf(reference: string, arms: readonly ArmResult[]): ArmComparison[] {
  const isReference = ({ arm }: ArmResult) => arm === reference;
  const ordered = [...arms.filter(isReference), ...arms.filter((one) => !isReference(one))];
  return ordered.flatMap((against, i) =>
    ordered.slice(i + 1).flatMap((arm): ArmComparison[] => {
      const seeds = arm.seeds.filter((seed) => against.seeds.includes(seed));
      if (seeds.length === 0) return [];
      const difference = (which: 'last' | 'best') => {
        const of = (one: ArmResult, seed: number) => one[which]!.values[one.seeds.indexOf(seed)];
        const grain = 1 / Math.min(arm.testImages ?? Infinity, against.testImages ?? Infinity);
        return differenceOf(
          seeds.map((seed) => of(arm, seed) - of(against, seed)),
          grain,
        );
      };
      return [
        { arm: arm.arm, against: against.arm, seeds, last: difference('last'), best: difference('best') },
      ];
    }),
  );
}

/** @param grain what they are multiples of: that of one test image; 0: of nothing */
export function differenceOf(differences: number[], grain = 0): Difference {
  const { mean, deviation } = meanAndDeviation(differences);
  const interval = meanInterval(differences, grain) ?? null;
  const shown = !interval ? 'unknown' : interval[0] > 0 ? 'better' : interval[1] < 0 ? 'worse' : 'none';
  return {
    differences,
    mean,
    deviation: Number.isFinite(deviation) ? deviation : null,
    interval,
    p: interval && meanP(differences, grain),
    wins: differences.filter((value) => value > 0).length,
    losses: differences.filter((value) => value < 0).length,
    ties: differences.filter((value) => value === 0).length,
    shown,
  };
}
