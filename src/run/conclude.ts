import { classFigures, type TestEvaluation } from '../analysis/class-figures';
import type { LayerRedundancy } from '../analysis/redundancy';
import type { Interval } from '../analysis/uncertainty';
import { cropOf } from '../data/pixels';
import type { ImageSetReport } from '../data/report';
import type { LabelledImages } from '../data/types';
import { Graph } from '../graph/graph';
import { instantiate } from '../model/instantiate';
import { type Model, parameterCount } from '../model/model';
import { evaluateNetwork } from '../train/evaluate';
import type { EvalPoint, Figures } from '../train/metrics';
import type { Observer } from '../train/observer';
import { isClassifier } from '../train/task';
import type { Trainer } from '../train/trainer';
import type { Training } from '../train/training-session';
import { companionFiles } from './companions';
import { type DenseEvaluation, denseEvaluation, picturesOf } from './dense';
import type { FittedNetwork } from './head';
import type { RunContext, TrainJob, TrainResult } from './job';
import { inImageOrder } from './logits';
import { mergeSnapshot, type WrittenNetwork, writeBase } from './merge';
import { PICTURES_FILE, picturesFile } from './pictures';
import { predictionsCsv } from './predictions-csv';
import { proveMerges, type Tested } from './prove';
import { networkRedundancy, redundancyChanges } from './redundancy';
import { type Report, summaryOf, type TestPredictions, uncertaintyOf } from './report';
import { PREDICTION_FILES, REDUNDANCY_FILE, redundancyFile } from './run-files';
import { runRecord } from './run-record';

/** What a run was, besides its training. */
interface Run {
  job: TrainJob;
  context: RunContext;
  network: FittedNetwork;
  reports: readonly ImageSetReport[];
  /** of the network as it was loaded */
  before: LayerRedundancy[];
  observer: Observer;
  /** the network as it was loaded, on the test images; absent with a new head */
  base?: { figures: Figures; logits: Float32Array };
  /** ISO 8601 */
  date: string;
  /** by performance.now() */
  started: number;
}

/** From the last step to the result: merges, proves, tests, and writes files and report. */
export async function conclude(
  trainer: Trainer,
  training: Training,
  { job, context, network, reports, before: redundancy, observer, base, date, started }: Run,
): Promise<TrainResult> {
  const { emit } = context;
  const { train, test } = training;
  const { dispatches, bytes, flops, peakBytes } = trainer.stepTotals();
  const plan = { dispatches, bytesPerStep: bytes, peakBytes, flopsPerStep: flops };
  const { points, evals, last, best, ended, steps, stepMs } = trainer.outcome();
  const bestPoint: EvalPoint = best === 'base' ? { step: 0, epoch: 0, ...training.base! } : best.point;
  emit({ type: 'eval', which: 'last', point: last.point });
  emit({ type: 'eval', which: 'best', point: bestPoint });
  if (best === 'base') {
    const message =
      'No gain: after no epoch is the test accuracy above that of the network as it was loaded. Keep your network; the best one of this run is it.';
    emit({ type: 'note', message });
  }
  const isPlain = job.settings.method === 'finetune' || job.settings.method === 'retrain';
  const message = isPlain ? 'Writing the network' : 'Merging the maps into the weights';
  emit({ type: 'phase', phase: 'merge', message });
  const merged = await mergeSnapshot(last.snapshot, training, network);
  if (merged.note) emit({ type: 'warning', message: merged.note });
  const toProve = [merged];
  let kept: WrittenNetwork = merged;
  if (best === 'base') kept = await writeBase(training, network);
  else if (best !== last) {
    const other = await mergeSnapshot(best.snapshot, training, network);
    toProve.push(other);
    kept = other;
  }
  const after = networkRedundancy(network.model, merged.state);
  emit({ type: 'redundancy', when: 'after', layers: after });
  emit({ type: 'phase', phase: 'prove', message: 'Comparing the merged network with the trained one' });
  const { proof, evaluations } = await proveMerges(toProve, {
    trainer,
    training,
    observer,
    network,
    base: sizeOf(network.model, train),
    gpu: context.gpu,
  });
  if (best === 'base' && evaluations.length > 0) {
    const tested = testNetwork({ ...network, state: kept.state }, training, context.gpu);
    await tested.then(
      (evaluation) => evaluations.push(evaluation),
      // the run's work must not be lost with that
      ({ message }: Error) =>
        observer.warning(`The network as it was loaded could not be tested again: ${message}`),
    );
  }
  const before = base && testedBy(base.logits, network.model, test);
  const isClass = isClassifier(network.model);
  const classified = (isClass ? evaluations : []) as TestEvaluation[];
  const dense = (isClass ? [] : evaluations) as DenseEvaluation[];
  const predictions: TestPredictions = {
    base: isClass ? (before as TestEvaluation | undefined)?.predictions : undefined,
    last: classified[0]?.predictions,
    best: classified[1]?.predictions,
  };
  const accuracy = {
    base: base?.figures.accuracy,
    last: last.point.accuracy,
    best: bestPoint.accuracy,
  };
  const files = await companionFiles(
    { merged, best: kept, proof, evaluations: classified },
    { network, training, observer, gpu: context.gpu },
  );
  if (predictions.base)
    files.push({
      name: PREDICTION_FILES.base,
      bytes: new TextEncoder().encode(predictionsCsv(predictions.base)),
    });
  files.push({ name: REDUNDANCY_FILE, bytes: redundancyFile({ before: redundancy, after }) });
  const ofBase = isClass ? undefined : (before as DenseEvaluation | undefined);
  if (!isClass) {
    const pictures = await picturesOf(test, network.model, { base: ofBase, last: dense[0] });
    files.push({ name: PICTURES_FILE, bytes: picturesFile(pictures) });
  }
  const outputs = [
    { name: 'merged.safetensors', bytes: merged.file },
    { name: 'best.safetensors', bytes: kept.file },
    ...files,
  ];
  const report: Report = {
    date,
    ...(await runRecord(job, network, training.settings, outputs)),
    accuracy,
    best: best === 'base' ? best : best.point.epoch,
    ended,
    nonFinite: trainer.nonFinite,
    evaluation: { last: classified[0]?.figures, best: classified[1]?.figures },
    ...(isClass
      ? { uncertainty: uncertaintyOf(test.count, accuracy, predictions) }
      : denseReport(network.model, test.count, ofBase, dense)),
    proof,
    redundancy: redundancyChanges(redundancy, after),
    steps,
    seconds: (performance.now() - started) / 1000,
    stepMs,
    plan,
    held: trainer.held,
    adapter: trainer.session.gpu.name,
    tuning: training.tuning ?? trainer.session.gpu.tuning,
    ...(reports.length > 0 && { data: reports.map(summaryOf) }),
  };
  return {
    report,
    merged: merged.file,
    best: kept.file,
    files,
    predictions,
    metrics: points,
    evals,
  };
}

/** What a plain network says of the test images. */
async function testNetwork(
  { model, state }: Pick<FittedNetwork, 'model' | 'state'>,
  { test, settings: { mean, std } }: Training,
  gpu: RunContext['gpu'],
): Promise<Tested> {
  const { logits } = await evaluateNetwork(await gpu(), model, state, test, { mean, std, keep: test.count });
  return testedBy(logits, model, test);
}

/** The same by its logits, in an evaluation's order. */
const testedBy = (logits: Float32Array, model: Model, test: LabelledImages): Tested =>
  isClassifier(model)
    ? classFigures(inImageOrder(logits, test.count, model.head.classes), test)
    : denseEvaluation(logits, model, test);

/** What a report has of a network for another task than classification. Where nothing was left to test on, nothing is sure. */
function denseReport(
  { task }: Model,
  images: number,
  base: DenseEvaluation | undefined,
  [last, best]: DenseEvaluation[],
): Pick<Report, 'dense' | 'uncertainty'> {
  const figures = (one?: DenseEvaluation) => one && { classes: one.classes };
  const interval = (one?: DenseEvaluation): Interval => one?.interval ?? [0, 1];
  return {
    dense: { task, base: figures(base), last: figures(last), best: figures(best) },
    uncertainty: {
      images,
      intervals: {
        ...(base && { base: base.interval }),
        last: interval(last),
        best: interval(best ?? last),
      },
    },
  };
}

/** Parameters of a network, and its multiply-adds on an image of that size. */
function sizeOf(model: Model, images: LabelledImages) {
  const { height, width } = cropOf(images);
  const graph = new Graph();
  const x = graph.tensor('x', [1, height, width, model.input.channels], { role: 'input' });
  const { multiplyAdds } = instantiate(model, graph, x, { training: false });
  return { parameters: parameterCount(model), multiplyAdds };
}
