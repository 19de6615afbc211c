/** The benchmark's cases as graphs of the engine. */
import { differentiate } from '../graph/autograd';
import { Graph } from '../graph/graph';
import { padLast, product, type Shape, type Tensor, type TensorOptions } from '../graph/tensor';
import type { StateDict } from '../io/tensor';
import { type Instance, instantiate } from '../model/instantiate';
import { mapLayout, pack } from '../model/layout';
import type { Model } from '../model/model';
import { withRefConv } from '../model/refconv';
import { activation } from '../ops/activation';
import { add } from '../ops/add';
import { conv2d } from '../ops/conv/conv2d';
import { linear } from '../ops/conv/linear';
import { copy } from '../ops/copy';
import { mul } from '../ops/mul';
import { batchNorm } from '../ops/norm/batch-norm';
import { layerNorm } from '../ops/norm/layer-norm';
import { refocusMap } from '../ops/refocus/dense';
import { descend } from '../train/programs';
import { defaultSettings } from '../train/settings';
import { taskOf } from '../train/task';
import type { BenchCase } from './cases';
import { CONVNEXT_KERNEL, convnextWeights, eachWeight, LAYER_NORM_EPS } from './convnext';
import {
  benchModel,
  benchState,
  IMAGE_SIZE,
  LEARNING_RATE,
  MOMENTUM,
  NORM_EPS,
  NORM_MOMENTUM,
} from './network';
import { benchImages, benchLabels, uniform } from './numbers';

/** A case's graph, the numbers of its inputs by `role:name`, and what to look at. */
export interface BenchGraph {
  graph: Graph;
  inputs: Map<string, ArrayBufferView<ArrayBuffer>>;
  /** the tensors whose sums of absolute values are the case's checksum; of a network, what the host reads */
  results: Tensor[];
  network?: { model: Model; instance: Instance; state: StateDict };
}

type NetworkCase = Extract<BenchCase, { kind: 'train' | 'infer' }>;
export type KernelCase = Exclude<BenchCase, NetworkCase>;

export const isNetwork = (c: BenchCase): c is NetworkCase => c.kind === 'train' || c.kind === 'infer';

/** Builds the graph of any case. */
export const benchGraph = (c: BenchCase): BenchGraph => (isNetwork(c) ? networkGraph(c) : kernelGraph(c));

/** One op: its forward nodes, its backward nodes, or (batch norm) both. */
function kernelGraph(c: KernelCase): BenchGraph {
  const b = new KernelBuilder();
  const { y, wanted } = b.forward(c);
  if (c.pass === 'fwd') return { graph: b.graph, inputs: b.inputs, results: [y] };
  const dy = b.input('dy', y.shape, uniform(product(y.shape), c.kind === 'norm' ? 4 : 3));
  const gradients = differentiate(b.graph, wanted, [[y, dy]]);
  // a gradient alone needs nothing of the forward pass but its inputs
  if (c.pass !== 'fwdbwd') b.graph.nodes = b.graph.nodes.filter((n) => n.phase === 'backward');
  const found = wanted.map((t) => gradients.get(t)!);
  const results = c.kind === 'convnext' ? [y, ...found] : found.slice(-1);
  return { graph: b.graph, inputs: b.inputs, results };
}

/** A graph and the numbers of its inputs while they grow. All channels are multiples of four: nothing is padded. */
class KernelBuilder {
  readonly graph = new Graph();
  readonly inputs = new Map<string, Float32Array<ArrayBuffer>>();

  input(
    name: string,
    shape: Shape,
    data: Float32Array<ArrayBuffer>,
    options: TensorOptions = { role: 'input' },
  ): Tensor {
    this.inputs.set(`${options.role}:${name}`, data);
    return this.graph.tensor(name, shape, options);
  }

  /** The op, and what is differentiated; the last one's gradient is looked at, of a block all. */
  forward(c: KernelCase): { y: Tensor; wanted: Tensor[] } {
    switch (c.kind) {
      case 'depthwise': {
        const { y, x, w } = this.conv([c.n, c.h, c.h, c.c], [c.k, c.k, 1, c.c], c.stride, c.c);
        return { y, wanted: [c.pass === 'bwdx' ? x : w] };
      }
      case 'pointwise': {
        const { y, x, w } = this.conv([c.n, c.h, c.h, c.ci], [1, 1, c.ci, c.co], 1, 1);
        return { y, wanted: [x, w] };
      }
      case 'norm':
        return this.norm(c);
      case 'refocus':
        return this.refocus(c);
      case 'convnext':
        return this.convnext(c);
    }
  }

  private conv(image: Shape, weight: Shape, stride: number, groups: number) {
    const x = this.input('x', image, uniform(product(image), 1));
    const w = this.input('w', weight, uniform(product(weight), 2));
    const padding = weight[0] >> 1;
    const y = conv2d(this.graph, 'y', x, w, undefined, {
      stride: [stride, stride],
      padding: [padding, padding],
      dilation: [1, 1],
      groups,
    });
    return { y, x, w };
  }

  private norm({ n, h, c }: Extract<KernelCase, { kind: 'norm' }>) {
    const x = this.input('x', [n, h, h, c], uniform(n * h * h * c, 1, 2, 0.5));
    const weight = this.input('weight', [c], uniform(c, 2, 0.5, 1));
    const bias = this.input('bias', [c], uniform(c, 3));
    const state = (name: string, value: number) =>
      this.input(name, [c], new Float32Array(c).fill(value), { role: 'state' });
    const parameters = { weight, bias, runningMean: state('mean', 0), runningVar: state('variance', 1) };
    const options = {
      training: true,
      momentum: NORM_MOMENTUM,
      eps: NORM_EPS,
      activation: 'none' as const,
    };
    return { y: batchNorm(this.graph, 'y', x, parameters, options), wanted: [weight, bias, x] };
  }

  private refocus({ c, k }: Extract<KernelCase, { kind: 'refocus' }>) {
    const basis = this.input('basis', [k, k, 1, c], uniform(k * k * c, 1));
    const layout = mapLayout([c, c, 3, 3], [c, 1, k, k], c);
    const numbers = pack(uniform(c * c * 9, 2), layout);
    const map = this.input('map', [3, 3, c, 1, c], numbers, { role: 'input', padded: layout.padded });
    const y = refocusMap(this.graph, 'y', basis, map, { groups: c, identity: true });
    return { y, wanted: [map] };
  }

  /** ConvNeXt's block: x + scale * fc2(gelu(fc1(norm(depthwise 7 x 7 of x)))). */
  private convnext({ n, h, c }: Extract<KernelCase, { kind: 'convnext' }>) {
    const g = this.graph;
    const x = this.input('x', [n, h, h, c], uniform(n * h * h * c, 1));
    const w = eachWeight(convnextWeights(c), ({ shape, data }, name) => this.input(name, shape, data));
    const padding = CONVNEXT_KERNEL >> 1;
    const mixed = conv2d(g, 'depthwise', x, w.depthwise, w.depthwiseBias, {
      stride: [1, 1],
      padding: [padding, padding],
      dilation: [1, 1],
      groups: c,
    });
    const normed = layerNorm(g, 'norm', mixed, w.gain, w.shift, { eps: LAYER_NORM_EPS });
    const hidden = activation(g, 'gelu', linear(g, 'fc1', normed, w.fc1, w.bias1), 'gelu');
    const scaled = mul(g, 'scale', linear(g, 'fc2', hidden, w.fc2, w.bias2), w.scale);
    const wanted = [x, ...Object.values(w)];
    return { y: add(g, 'y', scaled, x), wanted };
  }
}

/** A training step or an inference of a network. */
function networkGraph(c: NetworkCase): BenchGraph {
  const training = c.kind === 'train';
  const refconv = training && c.refconv;
  const folded = !training && c.folded;
  const graph = new Graph();
  const shape = [c.batch, IMAGE_SIZE, IMAGE_SIZE, 3];
  const layout = { view: shape, order: [0, 1, 2, 3], padded: padLast(shape) };
  const inputs = new Map<string, ArrayBufferView<ArrayBuffer>>([
    ['input:images', pack(benchImages(c.batch, IMAGE_SIZE), layout)],
  ]);
  const name = training ? c.network : 'mobilenet_v2';
  const plain = benchModel(name, folded);
  const model = refconv ? withRefConv(plain, REFCONV) : plain;
  const instance = instantiate(model, graph, graph.tensor('images', shape, { role: 'input' }), { training });
  const { logits } = instance;
  let result: Tensor;
  if (training) {
    inputs.set('input:labels', benchLabels(c.batch));
    const options = { role: 'input', dtype: 'u32', padded: [c.batch] } as const;
    descend(graph, taskOf(model), logits, graph.tensor('labels', [c.batch], options), SETTINGS);
    result = graph.find('output', 'metrics')!;
  } else result = read(graph, logits, 'result');
  const state = benchState(name, folded, refconv);
  return { graph, inputs, results: [result], network: { model, instance, state } };
}

const REFCONV = {
  layers: 'depthwise',
  mapKernel: 3,
  identity: true,
  trainBasis: false,
  path: 'factored',
  startsNonZero: true,
} as const;

/** SGD with momentum and nothing else. */
const SETTINGS = {
  ...defaultSettings(),
  optimizer: 'sgd' as const,
  lr: LEARNING_RATE,
  momentum: MOMENTUM,
  nesterov: false,
  weightDecay: 0,
  labelSmoothing: 0,
  clipNorm: 0,
};

/** A copy of a tensor for the host. */
export function read(graph: Graph, t: Tensor, name: string): Tensor {
  const out = graph.tensor(name, t.shape, { role: 'output', padded: t.padded });
  copy(graph, name, t, out);
  return out;
}
