import type { LabelledImages } from '../data/types';
import { differentiate } from '../graph/autograd';
import { compile } from '../graph/compile';
import { Graph } from '../graph/graph';
import type { ArenaLayout, Plan } from '../graph/ir';
import type { Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import { type Instance, instantiate } from '../model/instantiate';
import type { Model } from '../model/model';
import { copy } from '../ops/copy';
import { gather } from '../ops/gather';
import { adamw } from '../ops/optim/adamw';
import { sgd } from '../ops/optim/sgd';
import { type PassOptions, standardPasses } from '../passes/standard';
import type { RunSettings } from './settings';
import { type Task, taskOf } from './task';

/** A labelled image set as a plan sees it. `name` is the prefix of its input tensors. */
export interface ImageInput {
  name: string;
  /** images that the GPU holds at a time */
  count: number;
  height: number;
  width: number;
  mean: readonly number[];
  std: readonly number[];
}

/** A model on batches of images. */
interface Batches {
  model: Model;
  images: ImageInput;
  batch: number;
}

/** A model in the graph of a step or of an evaluation. */
export interface ProgramGraph {
  model: Model;
  graph: Graph;
  instance: Instance;
}

export interface Program extends ProgramGraph {
  plan: Plan;
}

/** How a graph becomes a plan. */
export interface ProgramOptions extends Pick<PassOptions, 'fusions'> {
  /** places of persistent tensors, shared by the programs of a session; default: a new one */
  layout?: ArenaLayout;
  /** default: a GPU's */
  tuning?: Tuning;
}

/** torch.optim.AdamW's defaults. */
export const ADAM_BETAS = { beta1: 0.9, beta2: 0.999 };

/** One training step: batch, forward, loss, backward, update. */
export function trainingGraph(o: Batches & { settings: RunSettings }): ProgramGraph {
  const { model, settings: s } = o;
  const graph = new Graph();
  const { x, target } = batchOf(graph, o, { cropPadding: s.cropPadding, flip: s.flip });
  const instance = instantiate(model, graph, x, { training: true });
  descend(graph, taskOf(model), instance.logits, target, s);
  return { model, graph, instance };
}

/** The plan of a training step. */
export function planTraining({ graph }: ProgramGraph, { storage }: RunSettings, o: ProgramOptions): Plan {
  const { layout, tuning, fusions } = o;
  return compile(graph, { passes: standardPasses({ fusions, storage }), layout, tuning });
}

/** One training step, planned. */
export function trainProgram(o: Batches & ProgramOptions & { settings: RunSettings }): Program {
  const built = trainingGraph(o);
  return { ...built, plan: planTraining(built, o.settings, o) };
}

/** What a step's loss and update are set by. */
export type Descent = Pick<
  RunSettings,
  'labelSmoothing' | 'optimizer' | 'momentum' | 'nesterov' | 'weightDecay' | 'clipNorm'
>;

/** What follows the logits in a training step: loss, gradients of all parameters, update. */
export function descend(graph: Graph, task: Task, logits: Tensor, target: Tensor, s: Descent): void {
  const dlogits = task.loss(graph, logits, target, s);
  const parameters = graph.tensors.filter((t) => t.role === 'parameter');
  differentiate(graph, parameters, [[logits, dlogits]]);
  const { weightDecay, clipNorm } = s;
  if (s.optimizer === 'sgd')
    sgd(graph, { momentum: s.momentum, nesterov: s.nesterov, weightDecay, clipNorm });
  else adamw(graph, { ...ADAM_BETAS, eps: 1e-8, weightDecay, clipNorm });
}

/** One batch of an evaluation: metrics into a ring, logits into an output. */
export function evaluationProgram(o: Batches & ProgramOptions): Program {
  const { model, layout, tuning, fusions } = o;
  const graph = new Graph();
  const { x, target } = batchOf(graph, o, { cropPadding: 0, flip: false });
  const instance = instantiate(model, graph, x, { training: false });
  const { logits } = instance;
  taskOf(model).loss(graph, logits, target, { labelSmoothing: 0 });
  copy(graph, 'logits', logits, graph.tensor('logits', logits.shape, { role: 'output' }));
  const plan = compile(graph, { passes: standardPasses({ fusions }), layout, tuning });
  return { model, graph, instance, plan };
}

function batchOf(
  graph: Graph,
  { images, batch }: Batches,
  augmentation: { cropPadding: number; flip: boolean },
): { x: Tensor; target: Tensor } {
  const { name, count, height, width, mean, std } = images;
  const input = (what: string, size: number, dtype: 'u8' | 'u32') =>
    graph.tensor(`${name} ${what}`, [size], { role: 'input', dtype, padded: [size] });
  return gather(graph, name, {
    images: input('images', count * height * width * 3, 'u8'),
    labels: input('labels', count, 'u32'),
    order: input('order', count, 'u32'),
    batch,
    height,
    width,
    mean,
    std,
    ...augmentation,
  });
}

/** As much of an image set as a plan needs. */
export type ImageSize = Pick<LabelledImages, 'count' | 'height' | 'width'>;

/** What the programs of a run are built of. */
interface Build {
  model: Model;
  settings: RunSettings;
  train: ImageSize;
  test: ImageSize;
}

export const stepsPerEpoch = ({ train, settings }: Pick<Build, 'train' | 'settings'>): number =>
  Math.floor(train.count / settings.batch);

/** Images of a batch in an evaluation. */
export const evaluationBatch = ({ test }: Pick<Build, 'test'>): number => Math.min(128, test.count);

const imageInput = ({ settings }: Build, name: 'train' | 'test', { count, height, width }: ImageSize) => ({
  name,
  count,
  height,
  width,
  mean: settings.mean,
  std: settings.std,
});

/** The training step of a run on a data set of one batch: what is planned and timed before a run. */
export function stepGraph(t: Build): ProgramGraph {
  const { model, settings, train } = t;
  const { batch } = settings;
  return trainingGraph({
    model,
    settings,
    images: imageInput(t, 'train', { ...train, count: batch }),
    batch,
  });
}

/** Both programs of a run, over one layout of the arenas; without a device's tuning they are cut for a GPU. */
export function buildPrograms(t: Build & Pick<ProgramOptions, 'tuning'>): {
  program: Program;
  evaluation: Program;
} {
  const { model, settings, tuning } = t;
  const common = { model, layout: {}, tuning };
  const { batch } = settings;
  const program = trainProgram({ ...common, settings, images: imageInput(t, 'train', t.train), batch });
  const images = imageInput(t, 'test', t.test);
  return { program, evaluation: evaluationProgram({ ...common, images, batch: evaluationBatch(t) }) };
}
