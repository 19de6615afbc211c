/**
 * What an experiment came to: results.json. Every figure of a run, each arm over its seeds, and each pair of arms seed by seed, with
 * what that shows. Written by this engine, and in the same form by whatever else repeats an experiment.
 */
import { type ArmComparison, type ArmResult, armResults, comparisonsOf } from './arm-results';
import { type ChosenRate, cellsOf, chosenRates, unequalSettings } from './cells';
import { type EndedCell, outcomesOf } from './ended-cells';
import type { Experiment } from './experiment';
import { type RunResult, runResult } from './run-result';

export interface ExperimentResults {
  format: 'refocus experiment results';
  version: 1;
  experiment: Experiment;
  /** what the accuracies are where they are none: `segmentation` mIoU, `detection` average precision at an overlap of half */
  task?: 'segmentation' | 'detection';
  /** ISO 8601 */
  date: string;
  /** whether every run has come to an end */
  complete: boolean;
  /** the cells that have not */
  missing: string[];
  /** the rate of each arm as it was searched for */
  rates: ChosenRate[];
  runs: RunResult[];
  arms: ArmResult[];
  /** every two arms, the reference's first */
  comparisons: ArmComparison[];
  /** settings that differ between the runs of a seed and should not; steps that differ between runs */
  unequal: string[];
}

/** @param diverged searches that did so in their first epoch */
export function resultsOf(
  experiment: Experiment,
  ended: readonly EndedCell[],
  date: string,
  diverged: readonly string[] = [],
): ExperimentResults {
  const outcomes = outcomesOf(ended, diverged);
  const missing = cellsOf(experiment)
    .map(({ id }) => id)
    .filter((id) => !outcomes.has(id));
  const ofArms = ended.filter(({ cell }) => cell.kind === 'run');
  const runs = ofArms.map(runResult);
  const task = ended[0]?.run.report.dense?.task;
  return summarised({
    experiment,
    ...(task && task !== 'classification' && { task }),
    date,
    complete: missing.length === 0,
    missing,
    rates: chosenRates(experiment, outcomes),
    runs,
    unequal: unequalOf(experiment, ofArms),
  });
}

/** What an experiment's runs have measured. */
export type Measured = Omit<ExperimentResults, 'format' | 'version' | 'arms' | 'comparisons'>;

/** The same with what follows: arms over their seeds, and how they compare. */
export function summarised(measured: Measured): ExperimentResults {
  const { experiment, runs } = measured;
  const arms = runs.length > 0 ? armResults(experiment, runs, !measured.task) : [];
  return resultsWith(measured, arms);
}

/** @param arms over their seeds, of whatever experiments */
export const resultsWith = (measured: Measured, arms: ArmResult[]): ExperimentResults => ({
  format: 'refocus experiment results',
  version: 1,
  ...measured,
  arms,
  comparisons: comparisonsOf(measured.experiment.reference, arms),
});

/** What should be equal in the runs of a seed, and is not. */
function unequalOf(experiment: Experiment, ended: readonly EndedCell[]): string[] {
  const names = new Set<string>();
  for (const seed of experiment.seeds) {
    const reports = ended
      .filter(({ cell }) => cell.seed === seed)
      .map(({ cell, run }) => ({ cell, ...run.report }));
    const runs = reports.map(({ cell, settings }) => ({ arm: cell.arm!, settings }));
    for (const name of unequalSettings(experiment, runs)) names.add(name);
    const [first] = reports;
    for (const { steps, held, uncertainty } of reports) {
      if (steps !== first.steps) names.add('steps');
      if (held.train.images !== first.held.train.images) names.add('training images');
      if (uncertainty.images !== first.uncertainty.images) names.add('test images');
    }
  }
  return [...names];
}
