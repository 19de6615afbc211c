import { classFigures, type TestEvaluation } from '../analysis/class-figures';
import { closeImages, cropOf } from '../data/pixels';
import type { LabelledImages } from '../data/types';
import { Stopped } from '../errors';
import { type Gpu, requireHalves } from '../gpu/device';
import { Graph } from '../graph/graph';
import type { Tuning } from '../graph/tuning';
import type { StateDict } from '../io/tensor';
import { initialState } from '../model/init';
import { instantiate } from '../model/instantiate';
import { type Model, parameterCount } from '../model/model';
import { augmentationSentence } from '../train/augmentation';
import { balanceSentence } from '../train/balance';
import { batchSentence, stepsPerEpoch } from '../train/batches';
import { evaluateNetwork } from '../train/evaluate';
import { heldSentence } from '../train/held';
import type { EvalPoint } from '../train/metrics';
import { checkMicroBatch, microSentence } from '../train/micro-batches';
import { rateSentence } from '../train/rate';
import { scheduleOf } from '../train/schedule';
import { decideSettings, type RunSettings } from '../train/settings';
import { trainedModel } from '../train/trained-model';
import { type Observer, Trainer, type Training } from '../train/trainer';
import { accuracyInOrder, orderSentence } from './class-orders';
import { companionFiles } from './companions';
import { asTrained, loadRunImages } from './data-source';
import { type FittedNetwork, fitHead } from './head';
import type { RunContext, TrainJob, TrainResult } from './job';
import { keepTraining } from './keep-training';
import { inImageOrder, logitsOf } from './logits';
import type { Memo } from './memo';
import { withinMemory } from './memory';
import { mergeSnapshot, type WrittenNetwork, writeBase } from './merge';
import { isRandom, loadNetwork } from './network-source';
import { proveMerges } from './prove';
import { networkRedundancy } from './redundancy';
import { type Report, summaryOf, type TestPredictions, uncertaintyOf } from './report';
import {
  checkInputs,
  digestInputs,
  newestCheckpoint,
  type Resume,
  type SavedRun,
  settingsToGoOn,
  stateToGoOn,
} from './resume';
import { runRecord } from './run-record';
import { autotune, canRun, tuningKey } from './tune';
import type { Tunings } from './tunings';
import { continuing, startingMaps } from './unmerged';
import { VERSION } from './version';

/** The main job: a trained network and images in; a proven, merged network out. */
export async function runTraining(job: TrainJob, context: RunContext): Promise<TrainResult> {
  const started = performance.now();
  const date = new Date().toISOString();
  const goOn = () => {
    if (context.control.cancelled) throw new Stopped();
  };
  const warn = (message: string) => context.emit({ type: 'warning', message });
  const saved = job.resume && (await newestCheckpoint(job.resume.checkpoints, warn));
  const loaded = await load(job, { ...context, goOn });
  try {
    const settings = saved ? settingsToGoOn(saved, job.settings, job.resume?.extend) : loaded.settings;
    return await trainLoaded({ ...loaded, settings, saved, goOn, date, started }, job, context);
  } finally {
    await closeImages(loaded.train, loaded.test);
  }
}

/** The same once network and images are there. */
async function trainLoaded(
  loaded: Loaded & { saved?: SavedRun; goOn: () => void; date: string; started: number },
  job: TrainJob,
  context: RunContext,
): Promise<TrainResult> {
  const { network, train, test, reports, settings, saved, goOn, date, started } = loaded;
  const { emit } = context;
  const training = prepare(network, train, test, settings);
  const from = saved && (await goOnFrom(saved, training, job.resume?.extend));
  emit({ type: 'note', message: batchSentence(training) });
  const micro = microSentence(training);
  if (micro) emit({ type: 'note', message: micro });
  const rate = rateSentence(job.settings.lr, settings.lr);
  if (rate) emit({ type: 'note', message: rate });
  emit({ type: 'note', message: augmentationSentence(settings) });
  const balance = balanceSentence(train, settings);
  if (balance) emit(balance);
  if (settings.headEpochs > 0) {
    const message = `The classifier trains alone at first, ${settings.headEpochs} of ${settings.epochs} epochs.`;
    emit({ type: 'note', message });
  }

  const gpu = await context.gpu();
  if (settings.storage === 'f16') requireHalves(gpu);
  if (!network.newHead)
    emit({ type: 'phase', phase: 'baseline', message: 'Measuring the network as it was loaded' });
  // a head of the network's own has its classes in an order of its own
  const natural = network.newHead ? undefined : reports.find((report) => report.natural)?.natural;
  const base = network.newHead
    ? undefined
    : await baseline(job, gpu, network, test, settings, { ...context, goOn });
  if (base) emit({ type: 'eval', which: 'base', point: { step: 0, epoch: 0, ...base.figures } });
  if (base && natural) {
    const message = orderSentence(base.figures.accuracy, accuracyInOrder(test, natural, base.logits));
    emit({ type: 'warning', message });
  }
  const redundancy = (when: 'before' | 'after', state: StateDict) =>
    emit({ type: 'redundancy', when, layers: networkRedundancy(network.model, state) });
  redundancy('before', network.state);

  if (base) training.base = base.figures;
  const observer: Observer = {
    steps: (points, imagesPerSecond, etaSeconds) =>
      emit({ type: 'steps', points, imagesPerSecond, etaSeconds }),
    evaluated: (point) => emit({ type: 'eval', which: 'epoch', point }),
    warning: (message) => emit({ type: 'warning', message }),
  };
  if (saved) training.tuning = await tuningToGoOn(saved, gpu, observer.warning);
  else if (settings.autotune) {
    const timed = () => tune(gpu, training, job.tunings, { emit, goOn });
    training.tuning = await withinMemory(training, job.settings, observer.warning, timed);
  }
  training.tuning ??= gpu.tuning;
  goOn();
  emit({ type: 'phase', phase: 'compile', message: 'Compiling the training step' });
  const ready = (trainer: Trainer) => {
    goOn();
    const { dispatches, bytes, flops, peakBytes } = trainer.stepTotals();
    emit({
      type: 'plan',
      ...{ dispatches, bytesPerStep: bytes, peakBytes, flopsPerStep: flops },
      steps: trainer.totalSteps,
      images: train.count,
      testImages: test.count,
      classes: train.classes,
    });
    const streamed = heldSentence(trainer.held);
    if (streamed) emit({ type: 'note', message: streamed });
    emit({
      type: 'phase',
      phase: 'train',
      message: `Training for ${settings.epochs} ${settings.epochs === 1 ? 'epoch' : 'epochs'}`,
    });
  };
  const run = { date: saved?.run.date ?? date, version: VERSION, adapter: gpu.name, asked: job.settings };
  const trainer = await keepTraining(context, { gpu, training, run, from, observer, ready });
  try {
    const { dispatches, bytes, peakBytes } = trainer.stepTotals();
    const plan = { dispatches, bytesPerStep: bytes, peakBytes };
    const { points, evals, last, best, ended, steps, stepMs } = trainer.outcome();
    const bestPoint: EvalPoint = best === 'base' ? { step: 0, epoch: 0, ...training.base! } : best.point;
    emit({ type: 'eval', which: 'last', point: last.point });
    emit({ type: 'eval', which: 'best', point: bestPoint });
    if (best === 'base') {
      const message =
        'No gain: after no epoch is the test accuracy above that of the network as it was loaded. Keep your network; the best one of this run is it.';
      emit({ type: 'note', message });
    }
    emit({ type: 'phase', phase: 'merge', message: 'Merging the maps into the weights' });
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
    redundancy('after', merged.state);
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
    const rows = base && inImageOrder(base.logits, test.count, network.model.head.classes);
    const predictions: TestPredictions = {
      base: rows && classFigures(rows, test).predictions,
      last: evaluations[0]?.predictions,
      best: evaluations[1]?.predictions,
    };
    const accuracy = {
      base: base?.figures.accuracy,
      last: last.point.accuracy,
      best: bestPoint.accuracy,
    };
    const files = await companionFiles(
      { merged, best: kept, proof, evaluations },
      { network, training, observer, gpu: context.gpu },
    );
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
      evaluation: { last: evaluations[0]?.figures, best: evaluations[1]?.figures },
      uncertainty: uncertaintyOf(test.count, accuracy, predictions),
      proof,
      steps,
      seconds: (performance.now() - started) / 1000,
      stepMs,
      plan,
      held: trainer.held,
      adapter: trainer.session.gpu.name,
      tuning: training.tuning,
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
  } finally {
    trainer.session.destroy();
  }
}

/**
 * Does ahead what a run of this job begins with, so that its first step comes soon: compiles the step, and for the built-in
 * network and images loads and evaluates them. The run that follows takes over what is done or still going on.
 */
export async function warmUp(job: TrainJob, context: Omit<RunContext, 'control' | 'emit'>): Promise<void> {
  const { network, train, test, settings } = await load(job, { ...context, emit() {}, goOn() {} });
  try {
    const training = prepare(network, train, test, settings);
    const gpu = await context.gpu();
    const trainer = await withinMemory(
      training,
      job.settings,
      () => {},
      () => Trainer.create(gpu, training, { steps() {}, evaluated() {}, warning() {} }),
    );
    trainer.session.destroy();
    if (!network.newHead) await baseline(job, gpu, network, test, settings, { ...context, goOn() {} });
  } finally {
    await closeImages(train, test);
  }
}

/** The network as it was loaded, on the test images. */
function baseline(
  job: TrainJob,
  gpu: Gpu,
  network: FittedNetwork,
  test: LabelledImages,
  { mean, std }: RunSettings,
  { memo, goOn }: { memo: Memo; goOn: () => void },
) {
  const { model, state } = network;
  const keep = test.count;
  const evaluate = () => evaluateNetwork(gpu, model, state, test, { mean, std, keep, goOn });
  if (job.model.kind !== 'builtin' || job.test?.kind !== 'builtin') return evaluate();
  return memo.get(`baseline ${JSON.stringify([gpu.name, test.count, mean, std])}`, evaluate);
}

/** Where a run goes on from, if what it trains with is as it was; the training gets its schedule. */
async function goOnFrom(saved: SavedRun, training: Training, extend: Resume['extend']) {
  const inputs = await digestInputs(training);
  checkInputs(saved, { inputs, classes: training.train.classes });
  const state = stateToGoOn(saved, training, extend);
  training.schedule = state.schedule;
  return { file: saved.file, state, inputs };
}

/** The tuning that a run goes on with: its own where this device takes it. Says so where the device is another. */
async function tuningToGoOn({ run }: SavedRun, gpu: Gpu, warn: (message: string) => void): Promise<Tuning> {
  if (run.adapter !== gpu.name)
    warn(
      `The run was begun on ${run.adapter} and goes on on ${gpu.name}: its numbers will differ in their last bits from those of a run on one device.`,
    );
  return (await canRun(gpu, run.tuning)) ? run.tuning : gpu.tuning;
}

/** The remembered tuning for this step on this device, else the fastest of a few, timed now. */
async function tune(
  gpu: Gpu,
  training: Training,
  known: Tunings = {},
  { emit, goOn }: Pick<RunContext, 'emit'> & { goOn: () => void },
): Promise<Tuning> {
  const key = tuningKey(gpu, training);
  if (Object.hasOwn(known, key) && (await canRun(gpu, known[key]))) return known[key];
  const timed = await autotune(gpu, training, (done, of) => {
    goOn();
    emit({ type: 'phase', phase: 'tune', message: `Timing way ${done} of ${of} to cut the step` });
  });
  emit({ type: 'tuned', key, timed });
  return timed[0].tuning;
}

export type Loaded = Awaited<ReturnType<typeof load>>;

/** What a job names, with every setting decided; the images are to be closed. */
export async function load(
  job: TrainJob,
  { memo, emit, goOn }: Pick<RunContext, 'memo' | 'emit'> & { goOn: () => void },
) {
  const { settings } = job;
  emit({ type: 'phase', phase: 'load', message: 'Loading the network and the images' });
  const loaded = await loadNetwork(job.model);
  const onProgress = (done: number, total: number) => {
    goOn();
    emit({ type: 'phase', phase: 'load', message: `Reading images: ${done} of ${total}` });
  };
  const asked = asTrained(settings, loaded);
  const { train, test, own, reports } = await loadRunImages(job, asked, { memo, onProgress });
  try {
    const network = fitHead(loaded, train.classes, settings);
    for (const message of network.notes) emit({ type: 'note', message });
    if (reports.length > 0) emit({ type: 'data', reports });
    for (const { warnings } of reports) for (const message of warnings) emit({ type: 'warning', message });
    // a head waits for nothing where all around it is new
    const newHead = network.newHead && !isRandom(job.model);
    const { height, width } = cropOf(train);
    const decided = decideSettings(
      { ...asked, cropPct: own ? 1 : asked.cropPct },
      { input: network.model.input, images: train.count, side: Math.max(height, width), newHead },
    );
    return { network, train, test, reports, settings: decided };
  } catch (error) {
    await closeImages(train, test);
    throw error;
  }
}

/** What a plain network says of the test images. */
async function testNetwork(
  network: Pick<FittedNetwork, 'model' | 'state'>,
  { test, settings: { mean, std } }: Training,
  gpu: RunContext['gpu'],
): Promise<TestEvaluation> {
  return classFigures(await logitsOf(await gpu(), network, test, { mean, std }), test);
}

/** Parameters of a network, and its multiply-adds on an image of that size. */
function sizeOf(model: Model, images: LabelledImages) {
  const { height, width } = cropOf(images);
  const graph = new Graph();
  const x = graph.tensor('x', [1, height, width, model.input.channels], { role: 'input' });
  const { multiplyAdds } = instantiate(model, graph, x, { training: false });
  return { parameters: parameterCount(model), multiplyAdds };
}

const isRefocusing = ({ method }: RunSettings): boolean => method === 'refocus' || method === 'joint';

/** What the trainer needs of a network, images and settings. */
export function prepare(
  { file, model: plain, state, unmerged }: FittedNetwork,
  train: LabelledImages,
  test: LabelledImages,
  settings: RunSettings,
): Training {
  const continued = continuing(settings, unmerged);
  const goesOn = unmerged !== undefined && isRefocusing(settings);
  // what goes on from maps starts from numbers that are not zero
  const model = trainedModel(plain, goesOn ? { ...continued, mapInit: 'kaiming' } : settings, file);
  const fresh = initialState(model, settings.seed, settings.mapInit);
  const maps = goesOn ? startingMaps(model, unmerged, file) : [];
  const start: StateDict = new Map(settings.method === 'retrain' ? fresh : [...fresh, ...state, ...maps]);
  const schedule = scheduleOf(settings, stepsPerEpoch({ train, settings }));
  checkMicroBatch({ model, train, settings });
  return { model, start, train, test, settings, schedule };
}
