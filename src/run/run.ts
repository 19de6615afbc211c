import { closeImages } from '../data/pixels';
import { Discarded, Stopped } from '../errors';
import { type Gpu, requireHalves } from '../gpu/device';
import type { Tuning } from '../graph/tuning';
import { augmentationSentence } from '../train/augmentation';
import { balanceSentence } from '../train/balance';
import { batchSentence } from '../train/batches';
import { heldSentence, mostHeld } from '../train/held';
import { microSentence } from '../train/micro-batches';
import type { Observer } from '../train/observer';
import { readyForLimit } from '../train/programs';
import { rateSentence } from '../train/rate';
import { normsSentence } from '../train/start-norms';
import { isClassifier } from '../train/task';
import type { Trainer } from '../train/trainer';
import type { Training } from '../train/training-session';
import { accuracyInOrder, orderSentence } from './class-orders';
import { conclude } from './conclude';
import { fallWatch } from './fall';
import { forecast } from './forecast';
import { forecastSentence } from './forecast-words';
import type { RunContext, TrainJob, TrainResult } from './job';
import { keepTraining } from './keep-training';
import { liveObserver, tellStart } from './live';
import { type Loaded, load, prepare, withStartNorms } from './load';
import { withinMemory } from './memory';
import { networkGrams, networkRedundancy } from './redundancy';
import {
  checkInputs,
  digestInputs,
  newestCheckpoint,
  type Resume,
  type SavedRun,
  settingsToGoOn,
  stateToGoOn,
} from './resume';
import { runBaseline } from './run-baseline';
import { stepLengthSentence } from './step-length';
import { autotune, canRun, tuningKey } from './tune';
import type { Tunings } from './tunings';
import { VERSION } from './version';
import { kernelWatch } from './watch-kernels';

/** The main job: a trained network and images in; a proven, merged network out. */
export async function runTraining(job: TrainJob, context: RunContext): Promise<TrainResult> {
  const started = performance.now();
  const date = new Date().toISOString();
  const goOn = () => {
    const { cancelled, discarded } = context.control;
    if (cancelled) throw discarded ? new Discarded() : new Stopped();
  };
  const warn = (message: string) => context.emit({ type: 'warning', message });
  const saved = job.resume && (await newestCheckpoint(job.resume.checkpoints, warn));
  const kept = await context.kept?.of(job.share);
  const loaded = await load(job, { ...context, kept, goOn });
  try {
    const settings = saved ? settingsToGoOn(saved, job.settings, job.resume) : loaded.settings;
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
  tellDecided(training, job.settings, emit);

  const gpu = await context.gpu();
  if (settings.storage === 'f16') requireHalves(gpu);
  await withStartNorms(gpu, training, network, goOn);
  const { tuning } = gpu;
  const warning = (message: string) => emit({ type: 'warning', message });
  const { model } = network;
  const expected = await withinMemory(training, job.settings, warning, async () => {
    await readyForLimit(training.settings);
    return forecast({ ...training, tuning, model, heldBytes: mostHeld(gpu) });
  });
  emit({ type: 'note', message: forecastSentence(expected) });
  const redundancy = networkRedundancy(network.model, network.state);
  const grams = networkGrams(network.model, network.state, settings.mapKernel);
  emit({ type: 'redundancy', when: 'before', layers: redundancy, grams });
  const length = stepLengthSentence(training.model, settings, grams);
  if (length) emit({ type: 'note', message: length });

  const live = await liveObserver(isClassifier(network.model) ? (job.live ?? 0) : 0, test, emit);
  const base = runBaseline(job, context, {
    ...{ network, test, settings },
    told({ figures, logits }) {
      training.base = figures;
      emit({ type: 'eval', which: 'base', point: { step: 0, epoch: 0, ...figures } });
      // a head of the network's own has its classes in an order of its own
      const natural = reports.find((report) => report.natural)?.natural;
      if (natural) warning(orderSentence(figures.accuracy, accuracyInOrder(test, natural, logits)));
      if (live) tellStart(live, test, logits);
    },
  });
  const trains = () => {
    const message = `Training for ${settings.epochs} ${settings.epochs === 1 ? 'epoch' : 'epochs'}`;
    emit({ type: 'phase', phase: 'train', message });
  };
  const watch = kernelWatch(training, context.control, emit);
  const watchFall = fallWatch({ images: test.count, lr: settings.lr }, warning);
  const observer: Observer = {
    steps: (points, pace) => emit({ type: 'steps', points, ...pace }),
    evaluated(point) {
      emit({ type: 'eval', which: 'epoch', point });
      // what begins with random weights is below those that were loaded, at whatever rate
      const goesOn = settings.method !== 'retrain';
      if (goesOn && isClassifier(network.model)) watchFall(point, training.base?.accuracy);
    },
    warning,
    note: (message) => emit({ type: 'note', message }),
    live,
    async between(step, read) {
      if (await base.whileRunning()) trains();
      await watch(step, read);
    },
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
  };
  const run = { date: saved?.run.date ?? date, version: VERSION, adapter: gpu.name, asked: job.settings };
  const trainer = await keepTraining(context, {
    ...{ gpu, training, run, from, observer, goOn, ready, trains },
  });
  try {
    const result = await conclude(trainer, training, {
      job,
      context,
      network,
      reports,
      before: redundancy,
      observer,
      base: await base.inTheEnd(),
      date,
      started,
    });
    if (context.control.discarded) throw new Discarded();
    return result;
  } finally {
    trainer.session.destroy();
  }
}

/** Says what was decided of what was left open. */
function tellDecided(training: Training, asked: TrainJob['settings'], emit: RunContext['emit']): void {
  const { train, settings } = training;
  const { headEpochs, epochs } = settings;
  const sentences = [
    batchSentence(training),
    microSentence(training),
    rateSentence(asked.lr, settings.lr),
    augmentationSentence(settings),
    normsSentence(training),
    headEpochs > 0 && `The classifier trains alone at first, ${headEpochs} of ${epochs} epochs.`,
  ];
  for (const message of sentences) if (message) emit({ type: 'note', message });
  const balance = balanceSentence(train, settings);
  if (balance) emit(balance);
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
    emit({ type: 'phase', phase: 'tune', message: `Timing ways to cut the step: ${done} of ${of}` });
  });
  emit({ type: 'tuned', key, timed });
  return timed[0].tuning;
}
