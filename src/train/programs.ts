/** A training step and an evaluation as graphs, and planned. */
import { cropOf, ofChannels } from '../data/pixels';
import { differentiate } from '../graph/autograd';
import { compile } from '../graph/compile';
import { Graph } from '../graph/graph';
import type { ArenaLayout, Plan } from '../graph/ir';
import type { Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import { type Instance, instantiate } from '../model/instantiate';
import type { Model } from '../model/model';
import { type Augmentation, type AugmentedBatch, augment, isAugmented } from '../ops/augment';
import { copy } from '../ops/copy';
import { type Crop, gather } from '../ops/gather';
import { gatherRows } from '../ops/gather-rows';
import { type Accumulation, accumulate } from '../ops/optim/accumulate';
import { adamw } from '../ops/optim/adamw';
import { average } from '../ops/optim/average';
import { sgd } from '../ops/optim/sgd';
import { type PassOptions, standardPasses } from '../passes/standard';
import { classWeightsTensor } from './balance';
import { isGrouped, isOfHead, type Part } from './groups';
import type { RunSettings } from './settings';
import { taskOf } from './task';
import type { Task } from './task-types';

/** A labelled image set as a plan sees it. `name` is the prefix of its input tensors. */
export interface ImageInput {
  name: string;
  /** images of the set */
  count: number;
  /** images that the GPU holds at a time; default: all */
  held?: number;
  height: number;
  width: number;
  /** what the network sees of each; default: the whole */
  crop?: Crop;
  mean: readonly number[];
  std: readonly number[];
}

/** A model on batches of images. */
export interface Batches {
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

export interface Step extends Batches {
  settings: RunSettings;
  /** default: all */
  part?: Part;
  /** absent: the batch is no micro-batch of a larger one */
  accumulation?: Accumulation;
}

/** One training step: batch, forward, loss, backward, update. */
export function trainingGraph(o: Step): ProgramGraph {
  const { model, settings: s, part = 'all', accumulation } = o;
  const graph = new Graph();
  const { x, target, mix } = batchOf(graph, o, s);
  const instance = instantiate(model, graph, x, { training: true, frozenBackbone: part === 'head' });
  const trains = ({ name }: Tensor) => part === 'all' || isOfHead(model, name);
  descend(graph, taskOf(model), instance.logits, target, {
    ...s,
    trains,
    groups: isGrouped(s, part),
    weighted: s.balance === 'loss',
    accumulation,
    mix,
  });
  if (s.ema > 0 && accumulation !== 'more') average(graph);
  return { model, graph, instance };
}

export { readyForLimit } from '../passes/limit';

/**
 * The plan of a training step.
 * @throws OverLimit where it does not fit the settings' limit of memory
 */
export function planTraining(
  { graph }: ProgramGraph,
  { storage, memory }: Pick<RunSettings, 'storage' | 'memory'>,
  o: ProgramOptions,
): Plan {
  const { layout, tuning, fusions } = o;
  return compile(graph, {
    passes: standardPasses({ fusions, storage, limit: Math.round(memory * 1e6) }),
    layout,
    tuning,
  });
}

/** One training step, planned. */
export function trainProgram(o: Step & ProgramOptions): Program {
  const built = trainingGraph(o);
  return { ...built, plan: planTraining(built, o.settings, o) };
}

/** What a step's loss and update are set by. */
export interface Descent
  extends Pick<
    RunSettings,
    'labelSmoothing' | 'optimizer' | 'momentum' | 'nesterov' | 'weightDecay' | 'clipNorm'
  > {
  /** which parameters are differentiated; default: all. The update goes over all of them: see `groups` */
  trains?: (parameter: Tensor) => boolean;
  /** whether parameters have factors of their own on learning rate and weight decay */
  groups?: boolean;
  /** whether classes have weights in the loss: the host writes them */
  weighted?: boolean;
  /** absent: the batch is no micro-batch of a larger one. Behind all but the last there is no update */
  accumulation?: Accumulation;
  /** how the batch was mixed of two, where it was */
  mix?: Tensor;
}

/** What follows the logits in a training step: loss, gradients of the parameters, update. */
export function descend(graph: Graph, task: Task, logits: Tensor, target: Tensor, s: Descent): void {
  const { trains = () => true, momentum, nesterov, weighted, mix, accumulation, ...options } = s;
  const classWeights = weighted ? classWeightsTensor(graph, logits) : undefined;
  const dlogits = task.loss(graph, logits, target, { labelSmoothing: s.labelSmoothing, classWeights, mix });
  const parameters = graph.tensors.filter((t) => t.role === 'parameter' && trains(t));
  differentiate(graph, parameters, [[logits, dlogits]]);
  if (accumulation) accumulate(graph, accumulation);
  if (accumulation === 'more') return;
  if (s.optimizer === 'sgd') sgd(graph, { ...options, momentum, nesterov });
  else adamw(graph, { ...options, ...ADAM_BETAS, eps: 1e-8 });
}

/** One batch of an evaluation: metrics into a ring, logits into an output. */
export function evaluationGraph(o: Batches): ProgramGraph {
  const { model } = o;
  const graph = new Graph();
  const { x, target } = batchOf(graph, o);
  const instance = instantiate(model, graph, x, { training: false });
  const { logits } = instance;
  taskOf(model).loss(graph, logits, target, { labelSmoothing: 0 });
  copy(graph, 'logits', logits, graph.tensor('logits', logits.shape, { role: 'output' }));
  return { model, graph, instance };
}

/** The same, planned. */
export function evaluationProgram(o: Batches & ProgramOptions): Program {
  const { layout, tuning, fusions } = o;
  const built = evaluationGraph(o);
  const plan = compile(built.graph, { passes: standardPasses({ fusions }), layout, tuning });
  return { ...built, plan };
}

/** The crops and flips that `gather` knows, and all else that is random. */
type Changes = Augmentation & { cropPadding: number; flip: boolean; verticalFlip: boolean };

/** A batch of a set: as an evaluation takes it, or changed at random; without a model in colour. */
export function batchOf(
  graph: Graph,
  { images, batch, model }: Pick<Batches, 'images' | 'batch'> & Partial<Pick<Batches, 'model'>>,
  changes?: Changes,
): AugmentedBatch {
  const { name, count, held = count, height, width, mean, std } = images;
  const channels = model?.input.channels ?? 3;
  const input = (what: string, size: number, dtype: 'u8' | 'u32') =>
    graph.tensor(`${name} ${what}`, [size], { role: 'input', dtype, padded: [size] });
  const options = {
    images: input('images', held * height * width * 3, 'u8'),
    labels: input('labels', count, 'u32'),
    order: input('order', count, 'u32'),
    batch,
    height,
    width,
    crop: cropOf(images),
    channels,
    mean: ofChannels(mean, channels),
    std: ofChannels(std, channels),
    cropPadding: changes?.cropPadding ?? 0,
    flip: changes?.flip ?? false,
    verticalFlip: changes?.verticalFlip ?? false,
  };
  const gathered =
    changes && isAugmented(changes)
      ? augment(graph, name, { ...changes, ...options })
      : gather(graph, name, options);
  const targets = model && taskOf(model).targets;
  if (!targets) return gathered;
  const size = targets.size({ height, width });
  const table = graph.tensor(`${name} targets`, [count, size], { role: 'input' });
  return { ...gathered, target: gatherRows(graph, `${name} rows`, { table, order: options.order, batch }) };
}
