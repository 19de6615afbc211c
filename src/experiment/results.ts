/**
 * What an experiment came to: results.json. Every figure of a run, each arm over its seeds, and each pair of arms seed by seed, with
 * what that shows. Written by this engine, and in the same form by whatever else repeats an experiment.
 */
import type { Report } from '../run/report';
import type { EvalPoint } from '../train/metrics';
import { type ArmComparison, type ArmResult, armResults, comparisonsOf } from './arm-results';
import { type ChosenRate, cellsOf, chosenRates, unequalSettings } from './cells';
import { type EndedCell, outcomeOf, outcomesOf } from './ended-cells';
import type { Experiment } from './experiment';

/** A run of an arm with a seed. */
export interface RunResult {
  arm: string;
  seed: number;
  /** its folder, from that of the experiment */
  folder: string;
  lr: number;
  ended: Report['ended'];
  /**
   * test accuracies: of the network it started from (absent with a new classifier), after the last step, and at its best epoch, for
   * which that network does not compete
   */
  accuracy: { base?: number; last: number; best: number };
  /** the epoch with the best test accuracy, which the test images chose */
  bestEpoch: number;
  /** mean loss of the test images after the last step */
  loss: number;
  testImages: number;
  steps: number;
  /** median of a training step, milliseconds; of the whole run, seconds */
  stepMs: number;
  seconds: number;
  /** of a step; absent where that is not measured */
  peakBytes?: number;
  dispatches?: number;
  bytesPerStep?: number;
  /** floating-point operations; absent in results of earlier versions */
  flopsPerStep?: number;
  /** whether the merged weights were proven, and by how much their logits differ from those of the trained network */
  proof: { ok: boolean; maxRelLogitDiff: number; top1Agreement: number };
  /** SHA-256 of the merged weights; where they were not written, absent */
  merged?: string;
  /** mean divergence between the kernels of a layer, of all refocusable layers, nats: before and after */
  divergence: [before: number, after: number];
  /** after every epoch, on the test images */
  evals: EvalPoint[];
  /** loss and accuracy of training batches, at most a hundred of them */
  training: { step: number; loss: number; accuracy: number }[];
  adapter: string;
  version: string;
}

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

export function resultsOf(
  experiment: Experiment,
  ended: readonly EndedCell[],
  date: string,
): ExperimentResults {
  const there = new Set(ended.map(({ cell }) => cell.id));
  const missing = cellsOf(experiment)
    .map(({ id }) => id)
    .filter((id) => !there.has(id));
  const ofArms = ended.filter(({ cell }) => cell.kind === 'run');
  const runs = ofArms.map(runResult);
  const task = ended[0]?.run.report.dense?.task;
  return summarised({
    experiment,
    ...(task && task !== 'classification' && { task }),
    date,
    complete: missing.length === 0,
    missing,
    rates: chosenRates(experiment, outcomesOf(ended)),
    runs,
    unequal: unequalOf(experiment, ofArms),
  });
}

/** What an experiment's runs have measured. */
export type Measured = Omit<ExperimentResults, 'format' | 'version' | 'arms' | 'comparisons'>;

/** The same with what follows: arms over their seeds, and how they compare. */
export function summarised(measured: Measured): ExperimentResults {
  const { experiment, runs } = measured;
  const arms = runs.length > 0 ? armResults(experiment, runs) : [];
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

/** Points of a training curve at most. */
const MOST_POINTS = 100;

function runResult({ cell, run: { report, metrics, evals, redundancy } }: EndedCell): RunResult {
  const { accuracy, settings, plan, proof, sha256 } = report;
  const { before, after } = redundancy;
  const stride = Math.max(1, Math.ceil(metrics.length / MOST_POINTS));
  const epochs = evals.filter(({ which }) => which === 'epoch').map(({ point }) => point);
  // the last step is evaluated in any case
  const last = { epoch: settings.epochs, accuracy: accuracy.last };
  const best = [...epochs, last].reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
  return {
    arm: cell.arm!,
    seed: cell.seed,
    folder: cell.id,
    lr: settings.lr,
    ended: report.ended,
    accuracy: { ...accuracy, best: best.accuracy },
    bestEpoch: best.epoch,
    loss: outcomeOf({ report, metrics, evals, redundancy, predictions: {} }).loss,
    testImages: report.uncertainty.images,
    steps: report.steps,
    stepMs: report.stepMs,
    seconds: report.seconds,
    ...plan,
    proof: { ok: proof.ok, maxRelLogitDiff: proof.maxRelLogitDiff, top1Agreement: proof.top1Agreement },
    ...(sha256.out['merged.safetensors'] && { merged: sha256.out['merged.safetensors'] }),
    divergence: [meanDivergence(before), meanDivergence(after)],
    evals: epochs,
    training: metrics
      .filter((_, i) => i % stride === 0 || i === metrics.length - 1)
      .map(({ step, loss, accuracy: share }) => ({ step, loss, accuracy: share })),
    adapter: report.adapter,
    version: report.version,
  };
}

/** Of layers with a finite one. */
function meanDivergence(layers: readonly { divergence: number }[]): number {
  const finite = layers.map(({ divergence }) => divergence).filter(Number.isFinite);
  return finite.reduce((a, b) => a + b, 0) / finite.length;
}

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
