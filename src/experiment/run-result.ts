/** A run's figures, as results.json has them. */
import type { Report } from '../run/report';
import type { EvalPoint } from '../train/metrics';
import { type EndedCell, outcomeOf } from './ended-cells';

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
  /**
   * of the network that its training began from, on the test images; absent where that was another one than the base, with a new
   * classifier or random weights, and in results of earlier versions
   */
  start?: EvalPoint;
  /** after every epoch, on the test images */
  evals: EvalPoint[];
  /** loss and accuracy of training batches, at most a hundred of them */
  training: { step: number; loss: number; accuracy: number }[];
  adapter: string;
  version: string;
}

/** Points of a training curve at most. */
const MOST_POINTS = 100;

export function runResult({ cell, run: { report, metrics, evals, redundancy } }: EndedCell): RunResult {
  const { accuracy, settings, plan, proof, sha256 } = report;
  const stride = Math.max(1, Math.ceil(metrics.length / MOST_POINTS));
  const start = evals.find(({ which }) => which === 'base')?.point;
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
    // of the report: the matrices have a file of their own, which a folder may have been copied without
    divergence: [
      meanDivergence(report.redundancy.map(({ before }) => before)),
      meanDivergence(report.redundancy.map(({ after }) => after)),
    ],
    ...(start && settings.method !== 'retrain' && { start }),
    evals: epochs,
    training: metrics
      .filter((_, i) => i % stride === 0 || i === metrics.length - 1)
      .map(({ step, loss, accuracy: share }) => ({ step, loss, accuracy: share })),
    adapter: report.adapter,
    version: report.version,
  };
}

/** Of layers with a finite one. */
function meanDivergence(layers: readonly { divergence: number | null }[]): number {
  const finite = layers.map(({ divergence }) => Number(divergence ?? Number.NaN)).filter(Number.isFinite);
  return finite.reduce((a, b) => a + b, 0) / finite.length;
}
