/** Which programs a run has, and what each of them takes. */
import type { LabelledImages } from '../data/types';
import type { BufferRange, Plan } from '../graph/ir';
import type { Model } from '../model/model';
import { passBatches, wholeBatch } from './batches';
import type { Part } from './groups';
import { evaluationRows, heldImages } from './held';
import { microBatches, microRows } from './micro-batches';
import {
  type Batches,
  evaluationProgram,
  type ImageInput,
  type Program,
  type ProgramGraph,
  type ProgramOptions,
  type Step,
  trainingGraph,
  trainProgram,
} from './programs';
import type { RunSettings } from './settings';

/** As much of an image set as a plan needs. */
export type ImageSize = Pick<LabelledImages, 'count' | 'height' | 'width' | 'crop'>;

/** What the programs of a run are built of. */
export interface Build {
  model: Model;
  settings: RunSettings;
  train: ImageSize;
  test: ImageSize;
  /** of a set that is held on the GPU as a whole, at most so many; default: no limit */
  heldBytes?: number;
}

/** Images of a batch in an evaluation: no more than in a micro-batch, where memory is short for training. */
export function evaluationBatch({ test, settings }: Pick<Build, 'test' | 'settings'>): number {
  const { batch, microBatch } = settings;
  return Math.min(evaluationRows(test), microBatch < batch ? microBatch : 128);
}

/** An image set as the programs of a run see it. */
export const imageInput = (
  { settings: { mean, std } }: Pick<Build, 'settings'>,
  name: 'train' | 'test',
  { count, height, width, crop }: ImageSize,
): ImageInput => ({ name, count, height, width, crop, mean, std });

/** The training step of a run on a data set of one batch: what is planned and timed before a run. */
export function stepGraph(t: Build): ProgramGraph {
  const { model, settings, train } = t;
  const batch = microRows(t);
  const images = imageInput(t, 'train', { ...train, count: batch });
  return trainingGraph({ model, settings, images, batch });
}

/** A step of a part, or what comes before it for another micro-batch of its batch; `of` so many images where not of the usual number. */
type StepName = `${'train' | 'head'}${'' | ' accumulate'}${'' | ` of ${number}`}`;

/**
 * The programs of a run: a step and an evaluation always; a step for the head alone where it trains first; of each others for
 * batches of other sizes and for micro-batches; an evaluation of the averages where they are kept.
 */
export type ProgramName = StepName | 'evaluate' | 'evaluate average';

/** The program for a micro-batch, or for a batch that is taken whole. `ends`: it is the last of its batch, and updates. */
export function stepName(
  t: Pick<Build, 'train' | 'settings'>,
  part: Part,
  { rows, ends }: { rows: number; ends: boolean },
): StepName {
  const of = rows === microRows(t) ? '' : (` of ${rows}` as const);
  return `${part === 'head' ? 'head' : 'train'}${ends ? '' : ' accumulate'}${of}`;
}

export type Plans = Record<'train' | 'evaluate', Plan> & Partial<Record<ProgramName, Plan>>;

/** Images of each set that the GPU holds at a time. */
export const heldOf = (t: Build): { train: number; test: number } => ({
  train: heldImages(t.train, wholeBatch(t), t.heldBytes),
  test: heldImages(t.test, evaluationBatch(t), t.heldBytes),
});

/** The step of a part on so many images; `ends` as in `stepName`. */
export function stepOf(t: Build, part: Part, { rows, ends }: { rows: number; ends: boolean }): Step {
  const images = { ...imageInput(t, 'train', t.train), held: heldOf(t).train };
  const isWhole = microRows(t) === wholeBatch(t);
  const accumulation = isWhole ? undefined : ends ? 'last' : 'more';
  return { model: t.model, settings: t.settings, images, batch: rows, part, accumulation };
}

/** What an evaluation within a run takes. */
export const evaluationOf = (t: Build): Batches => ({
  model: t.model,
  images: { ...imageInput(t, 'test', t.test), held: heldOf(t).test },
  batch: evaluationBatch(t),
});

/** The programs of a run, over one layout of the arenas; without a device's tuning they are cut for a GPU. */
export function buildPrograms(t: Build & Pick<ProgramOptions, 'tuning'>): {
  program: Program;
  evaluation: Program;
  plans: Plans;
} {
  const common = { layout: {}, tuning: t.tuning };
  const train = (rows: number, part: Part, ends = true) =>
    trainProgram({ ...stepOf(t, part, { rows, ends }), ...common });
  const program = train(microRows(t), 'all');
  const evaluation = evaluationProgram({ ...evaluationOf(t), ...common });
  const plans: Plans = { train: program.plan, evaluate: evaluation.plan };
  const parts: Part[] = t.settings.headEpochs > 0 ? ['all', 'head'] : ['all'];
  const batches = passBatches(t);
  for (const part of parts) {
    plans[stepName(t, part, { rows: microRows(t), ends: true })] ??= train(microRows(t), part).plan;
    // of all batches but the last one is like the other
    for (const { rows, ends } of [batches[0], batches.at(-1)!].flatMap((batch) => microBatches(t, batch)))
      plans[stepName(t, part, { rows, ends })] ??= train(rows, part, ends).plan;
  }
  if (t.settings.ema > 0) plans['evaluate average'] = ofAverages(evaluation.plan);
  return { program, evaluation, plans };
}

/** The plan over the averages of parameters and state in the place of these. */
function ofAverages(plan: Plan): Plan {
  const isAveraged = (buffer: string) => buffer === 'parameters' || buffer === 'state';
  const rename = (buffer: string) => (isAveraged(buffer) ? `average ${buffer}` : buffer);
  const renamed = (range: BufferRange) => ({ ...range, buffer: rename(range.buffer) });
  return {
    ...plan,
    dispatches: plan.dispatches.map((dispatch) => ({
      ...dispatch,
      bindings: Object.fromEntries(
        Object.entries(dispatch.bindings).map(([name, range]) => [name, renamed(range)]),
      ),
    })),
    buffers: Object.fromEntries(Object.entries(plan.buffers).map(([name, bytes]) => [rename(name), bytes])),
    // tensors are written and read by name in their own arenas
    tensors: {},
  };
}
