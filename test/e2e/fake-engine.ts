/** An engine without a GPU, in the real worker's place: the page's tests decide what it answers. */
import * as Comlink from 'comlink';
import '../../src/worker/thrown';
import { drawnPlanes, redundancyOf } from '../../src/analysis/redundancy';
import { statisticsOf } from '../../src/analysis/statistics';
import type {
  DataSource,
  EngineApi,
  EvalPoint,
  ImageSetReport,
  ImageSettings,
  ImageSurvey,
  LiveImage,
  LivePrediction,
  Profile,
  ProfileProgress,
  ProfileTarget,
  RunSurvey,
  StepPoint,
  TestPrediction,
  Thumbnail,
  TrainEvent,
  TrainJob,
  TrainResult,
} from '../../src/api';
import { byShader, type DispatchProfile, leastTimes } from '../../src/bench/profile';
import { DeviceLost, Discarded, NoWebGpu, Stopped, UserError } from '../../src/errors';
import { GPU_TUNING } from '../../src/graph/tuning';
import { writeSafetensors } from '../../src/io/safetensors';
import { BUILTIN_NETWORK } from '../../src/model/builtin';
import type { ConvLayer, Pair } from '../../src/model/model';
import { createModel } from '../../src/model/zoo';
import { CHECKPOINT_FILES, labelsOf, newestLabel } from '../../src/run/checkpoint-file';
import { gramSpectrum } from '../../src/run/gram-spectrum';
import { predictionsCsv } from '../../src/run/predictions-csv';
import { redundancyChanges } from '../../src/run/redundancy';
import { PREDICTION_FILES, REDUNDANCY_FILE, redundancyFile } from '../../src/run/run-files';
import { sortFiles } from '../../src/run/sort-files';
import type { NonFinite } from '../../src/train/non-finite';
import { decideRate } from '../../src/train/rate';
import { fakeAnalysis } from '../analysis';
import { runSettings } from '../settings';

/** What a test asks of the fake; set before this script runs. */
export interface Scenario {
  /** the sentence that `adapter` fails with */
  noAdapter?: string;
  /** what `adapter` answers */
  adapter?: string;
  /** the sentence that `train` fails with */
  trainError?: string;
  /** what the worker throws outside any call while it trains */
  crash?: string;
  /** the sentence that `profile` fails with */
  profileError?: string;
  proofOk?: boolean;
  /** the network came as an ONNX model */
  isOnnx?: boolean;
  /** the network gets worse by training, and the run says so */
  worse?: boolean;
  /** the classifier is new: there is no accuracy to begin with */
  newHead?: boolean;
  /** the classes that there are, where they are many */
  classes?: number;
  /** how a run ends that is not stopped */
  ended?: 'finished' | 'diverged' | 'failed';
  /** where the numbers of a run that diverged were no longer finite */
  nonFinite?: NonFinite;
  /** the sentence that `train` fails with, and the settings that would mend it */
  remedy?: { message: string; settings: Record<string, number> };
  /** an engine that comes to this step loses its device for good, so often (once) */
  lostAt?: number;
  lossTimes?: number;
  /** the sentence that the second and later calls of `train` fail with, before or after some steps */
  secondError?: string;
  failsAfter?: number;
  /** at a rate above it a run diverges in its first epoch */
  mostRate?: number;
  stepMs?: number;
  /** before the first step of a run, or of a search for a rate */
  loadMs?: number;
  /** the network has so many more layers, of 2,048 kernels each */
  wideLayers?: number;
}

declare const scenario: Scenario;

const STEPS_PER_EPOCH = 40;

/** A small integer hash in [0, 1): noise that is the same in every run. */
function noise(seed: number): number {
  let x = Math.imul(seed + 0x9e3779b9, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

function layer(name: string, channels: number, spread: number, inputs = 1) {
  const weight = Float32Array.from({ length: channels * inputs * 9 }, (_, i) => {
    const pattern = Math.sin((Math.floor(i / 9) % 5) + (i % 9));
    return pattern + spread * (noise(i + channels) - 0.5);
  });
  return redundancyOf(name, weight, [channels, inputs, 3, 3]);
}

/** Equal but for their names: to compute one takes a while. */
function wideLayers(spread: number) {
  const { wideLayers: number = 0 } = scenario;
  const one = number > 0 ? layer('', 256, spread, 8) : undefined;
  return Array.from({ length: number }, (_, i) => ({ ...one!, name: `layer${i}.0.conv2` }));
}

const layers = (spread: number) => [
  ...wideLayers(spread),
  layer('features.0.0', 200, spread, 3),
  layer('features.1.conv.0.0', 32, spread),
  layer('features.2.conv.1.0', 96, spread),
];

/** Of a file of weights, which holds another network. */
const ownLayers = (spread: number) => [
  layer('conv1', 16, spread, 3),
  layer('layer1.0.conv1', 16, spread, 16),
];

const layersOf = ({ kind }: TrainJob['model']) => (kind === 'file' ? ownLayers : layers);

/** The spectrum of each layer, by its own kernels. */
const grams = new Map(
  layers(1).map(({ name, shape, drawn, kernels }) => {
    const isDepthwise = shape[1] === 1;
    const conv = {
      kind: 'conv' as const,
      name,
      shape: [drawn.length, 1, 3, 3] as ConvLayer['shape'],
      groups: isDepthwise ? drawn.length : 1,
      stride: [1, 1] as Pair,
      padding: [1, 1] as Pair,
      dilation: [1, 1] as Pair,
      bias: false,
    };
    return [name, gramSpectrum(conv, kernels)!];
  }),
);

let runs = 0;
/** predictions of a camera's frames */
let asked = 0;
let isWatched = false;
let isPaused = false;
let isCancelled = false;
let isDiscarded = false;
let isOneStep = false;

const CLASSES = scenario.classes
  ? Array.from({ length: scenario.classes }, (_, i) => `class ${i}, כלב and a name that is rather long`)
  : ['<b>ring</b>', 'star'];
const TEST_IMAGES = 20 * CLASSES.length;

/** What a network says of twenty images a class: one in so many it takes for the next class. */
const told = (period: number): TestPrediction[] =>
  Array.from({ length: TEST_IMAGES }, (_, image) => ({
    image,
    label: CLASSES[image % CLASSES.length],
    predicted: CLASSES[(image + Number(image % period === period - 1)) % CLASSES.length],
    probability: 0.5 + (20 * image) / TEST_IMAGES / 50,
  }));

const flips = { gained: 120, lost: 60, p: 0.0000089 };

async function train(job: TrainJob, onEvent: (event: TrainEvent) => void): Promise<TrainResult> {
  if (scenario.crash) {
    setTimeout(() => {
      throw new Error(scenario.crash);
    });
    return new Promise(() => {});
  }
  if (
    scenario.remedy &&
    Object.entries(scenario.remedy.settings).some(([name, value]) => Object(job.settings)[name] !== value)
  )
    throw new UserError(scenario.remedy.message, scenario.remedy.settings);
  if (scenario.trainError) throw new UserError(scenario.trainError);
  const isSecond = runs++ > 0;
  if (isSecond && scenario.secondError && !scenario.failsAfter) throw new UserError(scenario.secondError);
  isPaused = false;
  isCancelled = false;
  isDiscarded = false;
  isOneStep = false;
  const { epochs, batch } = job.settings;
  const lr = decideRate(job.settings.lr, { images: 128, isNew: false });
  const steps = epochs * STEPS_PER_EPOCH;
  onEvent({ type: 'phase', phase: 'load', message: 'Loading the images' });
  onEvent({
    type: 'plan',
    dispatches: 412,
    bytesPerStep: 61_400_000,
    flopsPerStep: 2.1e9,
    peakBytes: 148_000_000,
    steps,
    images: 10_000,
    testImages: 2_000,
    classes: ['<b>ring</b>', 'star'],
  });
  onEvent({
    type: 'warning',
    message: '3 images were skipped; the first is <img src=x onerror=alert(1)>.jpg.',
  });
  const skipped = [{ path: 'cat/<b>1</b>.jpg', reason: 'the JPEG is cut off' }];
  const found = { source: 'set.zip', notes: ['set.zip: 2 classes by name.'], skipped };
  onEvent({ type: 'data', reports: [found as unknown as ImageSetReport] });
  const layers = layersOf(job.model);
  const before = layers(1);
  onEvent({ type: 'redundancy', when: 'before', layers: before, grams });
  if (job.live) onEvent({ type: 'live images', images: liveImages(job.live) });
  const look = (step: number) => {
    if (job.live) onEvent({ type: 'live', step, predictions: livePredictions(job.live, step) });
  };
  look(0);
  const metrics: StepPoint[] = [];
  const evals: EvalPoint[] = [];
  const evaluated = (which: 'base' | 'epoch' | 'last' | 'best', step: number) => {
    const gain = (scenario.worse ? -1 : 1) * 0.035 * (1 - Math.exp(-step / 60));
    const accuracy = 0.742 + gain;
    const point = { step, epoch: step / STEPS_PER_EPOCH, accuracy, loss: 1.55 - accuracy };
    evals.push(point);
    onEvent({ type: 'eval', which, point });
  };
  if (!scenario.newHead) evaluated('base', 0);
  await new Promise((resolve) => setTimeout(resolve, scenario.loadMs));
  if (isCancelled) throw new Stopped();
  onEvent({ type: 'phase', phase: 'train', message: 'Training' });
  const from = await goOn(job, metrics, onEvent);
  for (let step = from + 1; step <= steps && !isCancelled; step++) {
    await new Promise((resolve) => setTimeout(resolve, scenario.stepMs ?? 2));
    if (isPaused && step > 1) onEvent(checkpoint(step - 1, epochs));
    while (isPaused && !isCancelled) await new Promise((resolve) => setTimeout(resolve, 5));
    if (step === 5 && lr > (scenario.mostRate ?? 1e9))
      throw new UserError(`The loss was NaN at step ${step}.`, { lr: lr / 10 });
    if (isSecond && step === scenario.failsAfter) throw new UserError(scenario.secondError!);
    const fading = Math.exp(-step / 50);
    const point = {
      step,
      epoch: step / STEPS_PER_EPOCH,
      loss: 0.66 + 0.35 * fading + 0.25 * (noise(step) - 0.5),
      accuracy: 0.79 - 0.08 * fading + 0.09 * (noise(step + 7919) - 0.5),
      lr: lr * 0.5 * (1 + Math.cos((Math.PI * step) / steps)),
    };
    metrics.push(point);
    // no faster than the page hears of it: the engine tells steps a few times a second, this one would leave a busy page behind
    await onEvent({
      type: 'steps',
      points: [point],
      imagesPerSecond: 2140,
      etaSeconds: ((steps - step) * Number(batch)) / 2140,
      stepMs: 60 + 4 * noise(step + 31),
    });
    if (isPaused || step % 10 === 0) look(step);
    if (step === scenario.lostAt && !(await hasFailed())) throw new DeviceLost('The GPU was lost (test).');
    if (isOneStep) {
      isOneStep = false;
      isPaused = true;
    }
    if (isDiscarded) throw new Discarded();
    if (isWatched && step % 10 === 0) {
      const now = layers(1 + (0.3 * step) / steps);
      onEvent({ type: 'redundancy', when: 'now', step, layers: now });
    }
    if (step % STEPS_PER_EPOCH > 0) continue;
    evaluated('epoch', step);
    onEvent(checkpoint(step, epochs));
  }
  const after = layers(1.3);
  const predictions = {
    ...(!scenario.newHead && { base: told(7) }),
    last: told(job.settings.method === 'finetune' ? 5 : 9),
  };
  onEvent({ type: 'redundancy', when: 'after', layers: after });
  const ok = scenario.proofOk ?? true;
  return {
    report: {
      date: '2026-01-02T03:04:05.678Z',
      version: '0.1.0',
      settings: runSettings({ method: job.settings.method, lr, epochs, seed: job.settings.seed }),
      seed: job.settings.seed,
      classes: CLASSES,
      network: {
        source: 'net.pth',
        architecture: 'resnet20_cifar',
        args: {},
        publisher: 'akamaster',
        newHead: scenario.newHead === true,
      },
      sources: { train: ['builtin'] },
      sha256: { in: { 'net.pth': 'c0ffee' }, out: { 'merged.safetensors': 'abad1dea' } },
      accuracy: {
        ...(!scenario.newHead && { base: 0.742 }),
        last: evals.at(-1)!.accuracy,
        best: Math.max(...evals.map((e) => e.accuracy)),
      },
      best: scenario.worse ? 'base' : epochs,
      ended: isCancelled ? 'stopped' : job.resume?.rate ? 'finished' : (scenario.ended ?? 'finished'),
      ...(!isCancelled && !job.resume?.rate && { nonFinite: scenario.nonFinite }),
      evaluation: {},
      uncertainty: {
        images: 2000,
        intervals: {
          ...(!scenario.newHead && { base: [0.7224, 0.7607] }),
          last: [0.75, 0.79],
          best: [0.75, 0.79],
        },
        ...(!scenario.newHead && { flips: { last: flips, best: flips } }),
      },
      proof: {
        maxAbsLogitDiff: ok ? 2.1e-6 : 0.4,
        maxRelLogitDiff: ok ? 3.4e-7 : 0.05,
        top1Agreement: ok ? 1 : 0.98,
        images: 512,
        parameters: [104_330, 104_330],
        multiplyAdds: [6_120_448, 6_120_448],
        ok,
      },
      redundancy: redundancyChanges(before, after),
      steps: metrics.length,
      seconds: 34,
      stepMs: 59.8,
      plan: { dispatches: 412, bytesPerStep: 61_400_000, peakBytes: 148_000_000 },
      held: { train: { images: 640, held: 640 }, test: { images: 64, held: 64 } },
      adapter: 'Test adapter',
      tuning: GPU_TUNING,
    },
    merged: Uint8Array.of(1, 2, 3),
    best: Uint8Array.of(4, 5),
    files: [
      { name: 'labels.txt', bytes: new TextEncoder().encode('<b>ring</b>\nstar\n') },
      ...(scenario.isOnnx ? [{ name: 'merged.onnx', bytes: Uint8Array.of(6) }] : []),
      ...Object.entries(predictions).map(([which, rows]) => ({
        name: PREDICTION_FILES[which as keyof typeof predictions],
        bytes: new TextEncoder().encode(predictionsCsv(rows)),
      })),
      { name: REDUNDANCY_FILE, bytes: redundancyFile({ before, after }) },
    ],
    predictions,
    metrics,
    evals,
  };
}

/** Whether it was lost often enough: workers and pages end, the browser's storage stays. */
async function hasFailed(): Promise<boolean> {
  const cache = await caches.open('fake-engine');
  const times = Number((await (await cache.match('/lost'))?.text()) ?? 0);
  await cache.put('/lost', new Response(String(times + 1)));
  return times >= (scenario.lossTimes ?? 1);
}

function liveImages(count: number): LiveImage[] {
  return Array.from({ length: count }, (_, i) => {
    const { side, pixels } = thumbnail(i);
    return { image: i, label: i % 2, side, pixels };
  });
}

function livePredictions(count: number, step: number): LivePrediction[] {
  return Array.from({ length: count }, (_, i) => {
    const probability = Math.min(
      0.98,
      0.2 + 0.06 * i + 0.2 * (1 - Math.exp(-step / 60)) + 0.05 * noise(step + i),
    );
    const top = [
      { label: i % 2, probability },
      { label: (i + 1) % 2, probability: 1 - probability },
    ];
    return { probability, top: top.sort((a, b) => b.probability - a.probability) };
  });
}

let checkpoints = 0;

/** A checkpoint that says how far it has come, and no more; in the two files in turns, so that one is whole. */
function checkpoint(step: number, epochs: number): TrainEvent {
  const epoch = step / STEPS_PER_EPOCH;
  const labels = labelsOf({ date: new Date().toISOString(), step, epoch, epochs });
  const bytes = writeSafetensors(new Map(), new Map(Object.entries(labels)));
  return { type: 'checkpoint', file: CHECKPOINT_FILES[checkpoints++ % 2], step, bytes };
}

/** The step that a job goes on from; its files are noted by what is in them. */
async function goOn(
  { resume, train }: TrainJob,
  metrics: StepPoint[],
  onEvent: (event: TrainEvent) => void,
): Promise<number> {
  const step = (await newestLabel(resume?.checkpoints ?? []))?.step ?? 0;
  if (step === 0) return 0;
  for (const { path, blob } of train.kind === 'files' ? train.files : [])
    onEvent({ type: 'note', message: `${path} says ${await blob.text()}` });
  onEvent({ type: 'note', message: `goes on from step ${step}` });
  if (resume?.rate) onEvent({ type: 'note', message: `at rate ${resume.rate}` });
  for (let i = 1; i <= step; i++)
    metrics.push({ step: i, epoch: i / STEPS_PER_EPOCH, loss: 1, accuracy: 0.5, lr: 0.1 });
  onEvent({
    type: 'resumed',
    file: CHECKPOINT_FILES[0],
    step,
    points: [...metrics],
    evals: [],
    stepTimes: metrics.map(() => 60),
  });
  return step;
}

/** A dispatch of a device that copies 100 GB/s and does 1000 GFLOP/s. */
function dispatch(shader: string, label: string, ms: number, bytes: number, flops: number): DispatchProfile {
  const gigabytes = bytes / ms / 1e6;
  const gigaflops = flops / ms / 1e6;
  const efficiency = Math.max(gigabytes / rates.gigabytes, gigaflops / rates.gigaflops);
  return { shader, label, phase: 'forward', ms, bytes, flops, gigabytes, gigaflops, efficiency };
}

const rates = { gigabytes: 100, gigaflops: 1000, dispatchMs: 0.004 };

const dispatches = [
  dispatch('depthwise/forward', 'conv2d features.1.conv.0.0', 2, 120e6, 90e6),
  dispatch('pointwise/forward', 'conv2d features.1.conv.1', 1, 20e6, 700e6),
  ...Array.from({ length: 50 }, (_, i) =>
    dispatch(
      `norm/part_${i % 12}_with_a_name_that_is_rather_long`,
      `batch_norm features.${i}.<i>conv</i>.1`,
      0.2 - 0.002 * i,
      4e6,
      1e6,
    ),
  ),
  dispatch('depthwise/forward', 'conv2d features.2.conv.0.0', 4, 120e6, 90e6),
];

const RUNS = 5;

async function profileOf(
  target: ProfileTarget,
  onProgress: (progress: ProfileProgress) => void = () => {},
): Promise<Profile> {
  if (scenario.profileError) throw new UserError(scenario.profileError);
  if (target.kind !== 'run') throw new Error('the page profiles the step of a run');
  const { model, settings } = target;
  isCancelled = false;
  let runs = 0;
  for (; runs < RUNS && !(isCancelled && runs > 0); runs++) {
    onProgress({ message: `Timing each dispatch: run ${runs + 1} of ${RUNS}`, done: runs / RUNS });
    await new Promise((resolve) => setTimeout(resolve, 10 * (scenario.stepMs ?? 2)));
  }
  const sum = (of: 'ms' | 'bytes' | 'flops') => dispatches.reduce((s, d) => s + d[of], 0);
  const totals = {
    dispatches: dispatches.length,
    bytes: sum('bytes'),
    flops: sum('flops'),
    peakBytes: 148e6,
  };
  return {
    name: `${model.kind === 'builtin' ? 'mobilenet_v2' : model.kind === 'random' ? model.network.arch : 'own'}, ${settings.method}, batch of ${settings.batch === 'auto' ? 128 : settings.batch}`,
    adapter: 'Test adapter',
    method: 'timestamps',
    runs,
    rates,
    least: leastTimes(totals, rates),
    totals,
    runMs: 0.8 * sum('ms'),
    dispatchMs: sum('ms'),
    shaders: byShader(dispatches, rates),
    kernels: [],
    dispatches,
  };
}

/** Images by their paths alone: the first folder is the class; in an archive there are two classes. */
async function survey(
  { train, test }: { train: DataSource; test?: DataSource },
  { rename }: ImageSettings,
): Promise<RunSurvey> {
  const of = (source: DataSource): ImageSurvey => {
    const paths = source.kind === 'files' ? source.files.map(({ path }) => path) : [];
    const [first] = paths;
    const images = first.endsWith('.zip')
      ? ['<b>ring', 'star', 'star'].map((name, i) => `${name}/${i}.png`)
      : paths.map((path) => path.split('/').slice(1).join('/'));
    const originals = [...new Set(images.map((path) => path.split('/')[0]))].sort();
    const newName = (name: string) => rename[name] ?? name;
    const classes = [...new Set(originals.map(newName))].filter((name) => name !== '').sort();
    if (classes.length < 2) throw new UserError(`${first.split('/')[0]} has one class only.`);
    const ofClass = (name: string) => images.filter((path) => newName(path.split('/')[0]) === name);
    const perClass = classes.map((name) => 10 * ofClass(name).length);
    return {
      source: first.split('/')[0],
      classes,
      originals,
      unused: [],
      rotated: ['star/<u>turned</u>.jpg'],
      equal: [{ images: ['<b>ring/0.png', 'star/1.png'], classes: ['<b>ring', 'star'] }],
      parts: [
        { use: 'train', images: perClass.reduce((a, b) => a + b), perClass },
        { use: 'test', from: 'held', images: classes.length, perClass: classes.map(() => 1) },
      ],
      size: { width: 32, height: 32 },
      skipped: [{ path: 'star/<i>9</i>.heic', reason: 'HEIC is not read; convert it to JPEG' }],
      thumbnails: classes.map((name) => ofClass(name).map((image) => thumbnail(image))),
      notes: ['2 classes by name, <i>x</i>.'],
    };
  };
  return { train: of(train), test: test && of(test) };
}

/** A picture of one colour, by its name. */
function thumbnail(image: string | number): Thumbnail {
  const name = String(image);
  const value = [...name].reduce((sum, char) => sum + 37 * char.charCodeAt(0), 0) % 256;
  return { image: name, side: 8, pixels: Uint8Array.from({ length: 192 }, (_, i) => (i % 3 ? value : 128)) };
}

const engine: EngineApi = {
  async analyse(_, onEvent) {
    onEvent?.({ type: 'phase', phase: 'analyse', message: 'Loss landscape: 40 %, 3 s left', share: 0.4 });
    return fakeAnalysis;
  },
  async adapter() {
    if (scenario.noAdapter) throw new NoWebGpu(scenario.noAdapter);
    return scenario.adapter ?? 'Test adapter';
  },
  warmUp: async () => ({
    step: { flops: 2.1e9, ms: 60 },
    ...(!scenario.newHead && { base: { accuracy: 0.742, images: 2000 } }),
  }),
  async forecast({ settings }) {
    const most = 128e6;
    const isWhole = settings.microBatch === 'auto';
    const bytes = isWhole && Number(settings.batch) > 1000 ? 200e6 : 20e6;
    const limit = settings.memory * 1e6;
    const least = isWhole ? 63.2e6 : 9e6;
    const f16 = true;
    const epochs = settings.epochs;
    return {
      memory: {
        weights: 1.2e6,
        optimiser: 0.9e6,
        activations: 140e6,
        images: 6e6,
        all: 148e6,
        largest: bytes,
      },
      steps: epochs * STEPS_PER_EPOCH,
      epochs,
      flopsPerStep: 2.1e9,
      flops: epochs * STEPS_PER_EPOCH * 2.1e9,
      ...(settings.method === 'refocus' && {
        added: { what: 'maps' as const, numbers: 2430, bytes: 40_000, flops: 0.021 },
      }),
      ...(bytes > most && { tooLarge: { what: 'buffer' as const, bytes, most, rows: 500, f16 } }),
      ...(0 < limit &&
        limit < least && { tooLarge: { what: 'step' as const, bytes: least, most: limit, rows: 16, f16 } }),
    };
  },
  train,
  async findRate(_job, { steps = 100 } = {}, onEvent = () => {}) {
    const points = Array.from({ length: steps }, (_, i) => {
      const lr = 1e-6 * 10 ** (i / 14);
      const loss = i < 80 ? 2.5 - i / 50 : 0.9 + (i - 80) / 4;
      return { lr, loss, smoothed: loss };
    });
    await new Promise((resolve) => setTimeout(resolve, scenario.loadMs));
    for (const [i, { lr, loss }] of points.entries()) {
      const point = { step: i + 1, epoch: i / 10, lr, loss, accuracy: 0.5 };
      onEvent({
        type: 'steps',
        points: [point],
        imagesPerSecond: Number.NaN,
        etaSeconds: Number.NaN,
        stepMs: Number.NaN,
      });
    }
    return { points, suggestion: 0.02, reason: 'The loss falls fastest there.', ended: 'finished' };
  },
  async pause() {
    isPaused = true;
  },
  async resume() {
    isPaused = false;
  },
  async takeStep() {
    isOneStep = isPaused;
    isPaused = false;
  },
  async cancel(discard) {
    isDiscarded = discard === true;
    isCancelled = true;
  },
  async watch(isOn) {
    isWatched = isOn;
  },
  async bench() {
    throw new Error('the page does not measure');
  },
  profile: (target, _runs, onProgress) => profileOf(target, onProgress),
  inspect: () => Promise.reject(new Error('The page previews')),
  async preview(model) {
    const redundancy = layersOf(model)(1);
    if (model.kind !== 'file') {
      const tensors = redundancy.map((one) => ({
        name: `${one.name}.weight`,
        kind: 'depthwise convolution',
        shape: one.shape,
        parameters: 9 * one.planes,
        redundancy: one,
      }));
      return {
        model: createModel(BUILTIN_NETWORK.arch, BUILTIN_NETWORK),
        classifier: { count: 10, headless: false },
        layers: tensors,
        redundancy,
        grams,
        notes: [],
      };
    }
    const shards = model.files.filter(({ path }) => path.includes('-of-'));
    if (shards.length === 1) throw new UserError(`${shards[0].path} belongs to 2 files.`);
    const [{ path }] = shards.length > 0 ? shards : model.files;
    if (!path.endsWith('.safetensors')) throw new UserError(`${path} is no weights file.`);
    const tensors = Array.from({ length: 20 }, (_, i) => ({
      name: `layer${i}.conv1.<i>weight</i>`,
      kind: 'conv 3×3',
      shape: [16, 16, 3, 3],
      parameters: 2304,
      redundancy: { divergence: 0.01 * i, cosine: 0.5, effectiveRank: 4 },
    }));
    const buffer = { name: 'bn.running_mean', kind: 'buffer', shape: [16], parameters: 16 };
    const own = createModel('resnet20_cifar', {});
    return {
      model: own,
      classifier: { count: 10, headless: false },
      layers: [...tensors, buffer],
      redundancy,
      grams,
      notes: [`${path} is ResNet-20 for CIFAR.`],
    };
  },
  tensors: async (_model, names) =>
    names.map((name) => {
      const weights = Float32Array.from({ length: 12 * 9 }, (_, i) => Math.sin(i * i));
      const isKernel = /conv.*weight|features\.\d+\.0\.weight/.test(name);
      return {
        name,
        shape: isKernel ? [12, 1, 3, 3] : [12],
        ...statisticsOf(weights),
        ...(isKernel && { kernels: { height: 3, width: 3, drawn: drawnPlanes(12), weights } }),
      };
    }),
  sort: sortFiles,
  survey,
  classImages: async (_sources, _settings, { name }) => ({
    train: Array.from({ length: 200 }, (_, i) => `${name}/${i}.png`),
    test: [`${name}/<i>test</i>.png`],
  }),
  pictures: async (_source, images) => images.map(thumbnail),
  previewBatch: async ({ count = 1, epoch = 0 }) => ({
    width: 8,
    height: 4,
    pixels: new Uint8Array(count * 96).fill(40 * epoch),
    labels: Array.from({ length: count }, (_, i) => `<i>class ${i}</i>`),
    augmentation: `Augmentation of epoch ${epoch}.`,
  }),
  exportOnnx: async () => ({
    bytes: new Uint8Array([8, 8]),
    proof: { maxRelLogitDiff: 1e-7, top1Agreement: 1, images: 8 },
    notes: [],
  }),
  evaluate: () => Promise.reject(new Error('The page does not evaluate')),
  async predict(model, images) {
    const isMerged = model.kind === 'file' && model.files[0].path === 'merged.safetensors';
    // what a camera sees moves
    const share = (isMerged ? 0.9 : 0.6) + (images[0].path === 'camera' ? (asked++ % 50) / 1000 : 0);
    const top = CLASSES.map((name, i) => ({ class: name, probability: i === 0 ? share : 1 - share }));
    return {
      predictions: images.map(({ path }) =>
        path.endsWith('.heic') ? { image: path, error: 'HEIC is not read' } : { image: path, top },
      ),
      notes: [],
    };
  },
  verify: () => Promise.reject(new Error('The page does not verify')),
};

Comlink.expose(engine);
