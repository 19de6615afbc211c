import { differentiate } from '../graph/autograd';
import { compile } from '../graph/compile';
import { Graph } from '../graph/graph';
import type { ArenaLayout, Plan } from '../graph/ir';
import type { Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import { type Architecture, Net } from '../model/net';
import type { RefConvOptions } from '../model/refconv';
import { copy } from '../ops/copy';
import { gather } from '../ops/gather';
import { crossEntropy } from '../ops/loss/cross-entropy';
import { adamw, sgd } from '../ops/optim/optimizer';
import { type PassOptions, standardPasses } from '../passes/standard';
import type { TrainSettings } from './settings';

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

export interface Program {
  net: Net;
  plan: Plan;
}

/** torch.optim.AdamW's defaults. */
export const ADAM_BETAS = { beta1: 0.9, beta2: 0.999 };

/** What a network is built of. */
export interface NetworkShape {
  architecture: Architecture;
  images: ImageInput;
  batch: number;
  refconv?: RefConvOptions;
}

/** How its graph becomes a plan. */
export interface ProgramOptions extends Pick<PassOptions, 'fusions'> {
  /** places of persistent tensors, shared by the programs of a session; default: a new one */
  layout?: ArenaLayout;
  /** default: a GPU's */
  tuning?: Tuning;
}

/** The network and, in its graph, one training step: batch, forward, loss, backward, update. */
export function trainNetwork(o: NetworkShape & { settings: TrainSettings }): Net {
  const { settings: s } = o;
  const graph = new Graph();
  const net = new Net(graph, { training: true, refconv: o.refconv });
  const { x, target } = batchOf(graph, o, { cropPadding: s.cropPadding, flip: s.flip });
  descend(graph, o.architecture(net, x), target, s);
  return net;
}

/** One training step, planned. */
export function trainProgram(o: NetworkShape & ProgramOptions & { settings: TrainSettings }): Program {
  const net = trainNetwork(o);
  return { net, plan: planTraining(net, o.settings, o) };
}

/** The plan of a training step that `trainNetwork` has built. */
export function planTraining(net: Net, { storage }: TrainSettings, o: ProgramOptions): Plan {
  const { layout, tuning, fusions } = o;
  return compile(net.graph, { passes: standardPasses({ fusions, storage }), layout, tuning });
}

/** What follows the logits in a training step: loss, gradients of all parameters, update. */
export function descend(graph: Graph, logits: Tensor, target: Tensor, s: TrainSettings): void {
  const { dlogits } = crossEntropy(graph, 'loss', logits, target, {
    labelSmoothing: s.labelSmoothing,
    metrics: true,
  });
  const parameters = graph.tensors.filter((t) => t.role === 'parameter');
  differentiate(graph, parameters, [[logits, dlogits]]);
  const { weightDecay, clipNorm } = s;
  if (s.optimizer === 'sgd')
    sgd(graph, { momentum: s.momentum, nesterov: s.nesterov, weightDecay, clipNorm });
  else adamw(graph, { ...ADAM_BETAS, eps: 1e-8, weightDecay, clipNorm });
}

/** One batch of an evaluation: metrics into a ring, logits into an output. */
export function evaluationProgram(o: NetworkShape & ProgramOptions): Program {
  const graph = new Graph();
  const net = new Net(graph, { training: false, refconv: o.refconv });
  const { x, target } = batchOf(graph, o, { cropPadding: 0, flip: false });
  const logits = o.architecture(net, x);
  crossEntropy(graph, 'loss', logits, target, { labelSmoothing: 0, metrics: true });
  copy(graph, 'logits', logits, graph.tensor('logits', logits.shape, { role: 'output' }));
  const { layout, tuning, fusions } = o;
  return { net, plan: compile(graph, { passes: standardPasses({ fusions }), layout, tuning }) };
}

function batchOf(
  graph: Graph,
  { images, batch }: NetworkShape,
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
