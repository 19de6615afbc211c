/** What a run will take, told before it starts: from its plans alone, without a step on the device. */
import { OverLimit } from '../errors';
import type { Plan } from '../graph/ir';
import { product, type Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import type { Model } from '../model/model';
import { PRECONDITION } from '../model/precondition';
import { hasBatchNorm, stepsPerEpoch } from '../train/batches';
import { microRows } from '../train/micro-batches';
import { buildPrograms, evaluationBatch, type ImageSize } from '../train/run-programs';
import type { RunSettings } from '../train/settings';
import { trainedModel } from '../train/trained-model';

/** What a forecast is made of: a plain network, its settings decided, and the sizes of the image sets. */
export interface ForecastOf {
  /** without RefConvs */
  model: Model;
  settings: RunSettings;
  train: ImageSize;
  test: ImageSize;
  /** of a set that is held on the GPU as a whole, at most so many; default: no limit */
  heldBytes?: number;
  /** default: a GPU's */
  tuning?: Tuning;
}

/** Bytes of GPU memory, by what they hold. */
export interface MemoryForecast {
  /** parameters, running statistics, frozen kernels */
  weights: number;
  /** gradients, momentum or moments, averages */
  optimiser: number;
  /** what passes between the dispatches of a step */
  activations: number;
  /** the images, with their labels and order */
  images: number;
  all: number;
  /** the largest buffer that grows with the batch */
  largest: number;
}

/** What a method that trains something beside the weights costs more than fine-tuning: merged, a network costs what it did. */
export interface AddedForecast {
  /** what it is of: maps that refocus, matrices that precondition, or branches beside kernels */
  what: 'maps' | 'matrices' | 'branches';
  /** numbers in these */
  numbers: number;
  bytes: number;
  /** share of a step's floating-point operations more */
  flops: number;
}

/** What of a step is computed twice, so that its memory stays within the limit. */
export interface RepeatedForecast {
  /** megabytes that a step may take, its images apart */
  limit: number;
  /** bytes that it takes, and that it would without the limit */
  peak: number;
  without: number;
  /** dispatches of a step more */
  dispatches: number;
  /** shares of the bytes that a step moves, and of its floating-point operations, more */
  bytes: number;
  flops: number;
}

export interface Forecast {
  memory: MemoryForecast;
  /** of the whole run */
  steps: number;
  epochs: number;
  /** floating-point operations of a step, and of the whole run with its tests */
  flopsPerStep: number;
  flops: number;
  /** absent: the method adds nothing */
  added?: AddedForecast;
  /** absent: nothing has to be */
  repeated?: RepeatedForecast;
}

/** @throws UserError where the network cannot train so */
export function forecast(of: ForecastOf): Forecast {
  const run = costOf(of);
  const { method, epochs, freeze, memory } = of.settings;
  const free = memory > 0 ? costOf({ ...of, settings: { ...of.settings, memory: 0 } }) : run;
  const what = ADDED[method];
  // without maps nothing would be left to train of a network of which they alone train
  const settings = {
    ...of.settings,
    memory: 0,
    method: 'finetune',
    freeze: freeze === 'all-but-maps' ? 'none' : freeze,
  };
  const plain = what ? costOf({ ...of, settings: settings as RunSettings }) : undefined;
  return {
    memory: run.memory,
    steps: run.steps,
    epochs,
    flopsPerStep: run.flopsPerStep,
    flops: run.steps * run.flopsPerStep + (epochs + 1) * run.flopsPerTest,
    added: plain && {
      what: what!,
      numbers: what === 'branches' ? run.trainable - plain.trainable : run.beside,
      bytes: free.memory.all - plain.memory.all,
      flops: free.flopsPerStep / plain.flopsPerStep - 1,
    },
    repeated: repeatedOf(memory, run.step, free.step),
  };
}

/** What a plan that keeps within a limit costs more than the one that does not; undefined where they are the same. */
export function repeatedOf(
  limit: number,
  step: Plan['totals'],
  free: Plan['totals'],
): RepeatedForecast | undefined {
  const dispatches = step.dispatches - free.dispatches;
  if (dispatches === 0) return undefined;
  return {
    limit,
    peak: step.peakBytes,
    without: free.peakBytes,
    dispatches,
    bytes: step.bytes / free.bytes - 1,
    flops: step.flops / free.flops - 1,
  };
}

function costOf({ model, settings, tuning, train, test, heldBytes }: ForecastOf) {
  const t = { model: trainedModel(model, settings), settings, train, test, heldBytes };
  const { program, plans } = buildPrograms({ ...t, tuning });
  const { tensors } = program.graph;
  const numbers = (counts: (tensor: Pick<Tensor, 'name' | 'role'>) => boolean) =>
    tensors.filter(counts).reduce((sum, { shape }) => sum + product(shape), 0);
  const micro = Math.ceil(Math.min(settings.batch, train.count) / microRows(t));
  return {
    memory: memoryOf(Object.values<Plan | undefined>(plans).filter((plan) => plan !== undefined)),
    step: plans.train.totals,
    steps: settings.epochs * stepsPerEpoch(t),
    flopsPerStep: micro * plans.train.totals.flops,
    flopsPerTest: Math.ceil(test.count / evaluationBatch(t)) * plans.evaluate.totals.flops,
    trainable: numbers(({ role }) => role === 'parameter'),
    beside: numbers(({ name, role }) =>
      role === 'parameter' ? name.includes('.convmap.') : role === 'constant' && name.endsWith(MATRIX),
    ),
  };
}

const ADDED: Partial<Record<RunSettings['method'], AddedForecast['what']>> = {
  ...{ refocus: 'maps', joint: 'maps', precondition: 'matrices', branches: 'branches' },
};
const MATRIX = PRECONDITION.matrix('');

const WEIGHTS = ['parameters', 'state', 'constants'];

/** A session's buffers: plans share them by name, each as large as the one that needs most of it. */
function memoryOf(plans: readonly Plan[]): MemoryForecast {
  const sizes = new Map<string, number>();
  for (const { buffers } of plans)
    for (const [name, bytes] of Object.entries(buffers))
      sizes.set(name, Math.max(sizes.get(name) ?? 0, bytes));
  const memory = { weights: 0, optimiser: 0, activations: 0, images: 0, all: 0, largest: 0 };
  for (const [name, bytes] of sizes) {
    memory[holderOf(name)] += bytes;
    memory.all += bytes;
    if (name.startsWith('slot ')) memory.largest = Math.max(memory.largest, bytes);
  }
  return memory;
}

function holderOf(buffer: string): Exclude<keyof MemoryForecast, 'all' | 'largest'> {
  if (buffer.startsWith('input ')) return 'images';
  if (buffer.startsWith('slot ') || buffer.startsWith('output ')) return 'activations';
  return WEIGHTS.includes(buffer) ? 'weights' : 'optimiser';
}

/**
 * The largest micro-batch, of half as many images until it fits, whose buffers are no larger than that, and whose step keeps within
 * the limit of memory; undefined where none is.
 * @param most bytes of a buffer
 */
export function fittingRows(of: ForecastOf, most: number): number | undefined {
  const least = hasBatchNorm(of.model) ? 2 : 1;
  for (let rows = Math.floor(microRows(of) / 2); rows >= least; rows = Math.floor(rows / 2))
    if (fits({ ...of, settings: { ...of.settings, microBatch: rows } }, most)) return rows;
  return undefined;
}

function fits(of: ForecastOf, most: number): boolean {
  try {
    return costOf(of).memory.largest <= most;
  } catch (error) {
    if (error instanceof OverLimit) return false;
    throw error;
  }
}
