import type { Graph } from '../graph/graph';
import { product, type Role, type Tensor } from '../graph/tensor';
import { type Activation, activation } from '../ops/activation';
import { concat, shuffleChannels, sliceChannels, subsample } from '../ops/channels';
import { type ConvAttributes, conv2d } from '../ops/conv/conv2d';
import { linear } from '../ops/conv/linear';
import { add } from '../ops/copy';
import { dropout, stochasticDepth } from '../ops/dropout';
import { mul } from '../ops/mul';
import { batchNorm } from '../ops/norm/batch-norm';
import { layerNorm } from '../ops/norm/layer-norm';
import { avgPool2d, globalAvgPool, maxPool2d } from '../ops/pool';
import { engineShape, type Layout, vectorLayout, weightLayout } from './layout';
import { type RefConvOptions, refocusedWeight } from './refconv';
import type { RefocusGeometry } from './refocus-math';

/** How a tensor starts when a network is trained from random numbers. */
export type Init = 'kaiming-normal' | 'zeros' | 'ones' | 'map' | { constant: number } | { uniform: number };

/** An entry of the state dict, and where it lives. */
export interface StateEntry {
  /** PyTorch's key */
  name: string;
  /** PyTorch's shape */
  shape: number[];
  layout: Layout;
  role: Role;
  init: Init;
  tensor: Tensor;
}

/** A convolution that a state dict's key `<name>.weight` belongs to. */
export interface ConvLayer {
  name: string;
  /** OIHW */
  shape: [number, number, number, number];
  groups: number;
  /** set where the layer is a RefConv */
  refconv?: { path: 'dense' | 'factored'; geometry: RefocusGeometry };
}

export interface NetOptions {
  /** batch statistics, dropout and stochastic depth on */
  training: boolean;
  /** dropout and stochastic depth off in training too (for comparison with a reference) */
  deterministic?: boolean;
  refconv?: RefConvOptions;
}

/** PyTorch's names; the stride is the kernel's size by default. */
export interface PoolOptions {
  stride?: number;
  padding?: number;
}

export interface ConvOptions {
  stride?: number | [number, number];
  padding?: number | [number, number];
  dilation?: number | [number, number];
  groups?: number;
  bias?: boolean;
}

const pair = (v: number | [number, number]): [number, number] => (typeof v === 'number' ? [v, v] : v);

/** An architecture: adds its layers to a net and gives the logits `[n, 1, 1, classes]`. */
export type Architecture = (net: Net, x: Tensor) => Tensor;

/**
 * Builds a network's graph layer by layer under PyTorch's state-dict names. Collects the entries of the state dict in
 * order, the convolutions (for RefConv, redundancy, inspection) and the multiply-adds of one image.
 */
export class Net {
  readonly state: StateEntry[] = [];
  readonly convs: ConvLayer[] = [];
  multiplyAdds = 0;
  /** elements that the convolutions of one image read and write */
  readonly convElements = { inputs: 0, outputs: 0 };
  private count = 0;

  constructor(
    readonly graph: Graph,
    readonly options: NetOptions,
  ) {}

  /** Numbers in the network's parameters. */
  parameterCount(): number {
    return this.state.filter((e) => e.role === 'parameter').reduce((sum, e) => sum + product(e.shape), 0);
  }

  /** Declares an entry of the state dict. */
  entry(name: string, shape: number[], layout: Layout, init: Init, role: Role = 'parameter'): Tensor {
    const tensor = this.graph.tensor(name, engineShape(layout), { role, padded: layout.padded });
    this.state.push({ name, shape, layout, role, init, tensor });
    return tensor;
  }

  vector(name: string, size: number, init: Init, role: Role = 'parameter', shape = [size]): Tensor {
    return this.entry(name, shape, vectorLayout(shape), init, role);
  }

  /** torch.nn.Conv2d, or a RefConv of it where the options say so. Padding keeps the size by default. */
  conv(
    name: string,
    x: Tensor,
    out: number,
    kernel: number | [number, number],
    options: ConvOptions = {},
  ): Tensor {
    const [kh, kw] = pair(kernel);
    const groups = options.groups ?? 1;
    const attrs: ConvAttributes = {
      stride: pair(options.stride ?? 1),
      padding: pair(options.padding ?? [kh >> 1, kw >> 1]),
      dilation: pair(options.dilation ?? 1),
      groups,
    };
    const layer: ConvLayer = { name, shape: [out, x.shape[3] / groups, kh, kw], groups };
    this.convs.push(layer);
    const weight =
      refocusedWeight(this, layer) ??
      this.entry(`${name}.weight`, layer.shape, weightLayout(layer.shape, groups), 'kaiming-normal');
    const bias = options.bias ? this.vector(`${name}.bias`, out, 'zeros') : undefined;
    const y = conv2d(this.graph, name, x, weight, bias, attrs);
    this.convElements.inputs += product(x.shape) / x.shape[0];
    this.convElements.outputs += product(y.shape) / y.shape[0];
    this.multiplyAdds += (product(y.shape) / y.shape[0]) * layer.shape[1] * kh * kw;
    return y;
  }

  /** torch.nn.BatchNorm2d, with the activation that follows it. */
  batchNorm(name: string, x: Tensor, act: Activation = 'none', { eps = 1e-5, momentum = 0.1 } = {}): Tensor {
    const c = x.shape[3];
    const parameters = {
      weight: this.vector(`${name}.weight`, c, 'ones'),
      bias: this.vector(`${name}.bias`, c, 'zeros'),
      runningMean: this.vector(`${name}.running_mean`, c, 'zeros', 'state'),
      runningVar: this.vector(`${name}.running_var`, c, 'ones', 'state'),
    };
    return batchNorm(this.graph, name, x, parameters, {
      training: this.options.training,
      momentum,
      eps,
      activation: act,
    });
  }

  /** torch.nn.LayerNorm over the channels of each pixel. */
  layerNorm(name: string, x: Tensor, eps: number): Tensor {
    const weight = this.vector(`${name}.weight`, x.shape[3], 'ones');
    const bias = this.vector(`${name}.bias`, x.shape[3], 'zeros');
    return layerNorm(this.graph, name, x, weight, bias, { eps });
  }

  /** torch.nn.Linear over the channels of each pixel. */
  linear(name: string, x: Tensor, out: number): Tensor {
    const shape = [out, x.shape[3]];
    const init = { uniform: shape[1] ** -0.5 };
    const weight = this.entry(`${name}.weight`, shape, weightLayout(shape), init);
    const y = linear(this.graph, name, x, weight, this.vector(`${name}.bias`, out, init));
    this.multiplyAdds += (product(y.shape) / y.shape[0]) * shape[1];
    return y;
  }

  activation(x: Tensor, kind: Activation): Tensor {
    return activation(this.graph, this.unique(kind), x, kind);
  }

  maxPool(
    x: Tensor,
    kernel: number,
    { stride = kernel, padding = 0, ceilMode = false }: PoolOptions & { ceilMode?: boolean } = {},
  ): Tensor {
    const attrs = { kernel: pair(kernel), stride: pair(stride), padding: pair(padding), ceilMode };
    return maxPool2d(this.graph, this.unique('max_pool'), x, attrs);
  }

  avgPool(x: Tensor, kernel: number, { stride = kernel, padding = 0 }: PoolOptions = {}): Tensor {
    const attrs = {
      kernel: pair(kernel),
      stride: pair(stride),
      padding: pair(padding),
      countIncludePad: true,
    };
    return avgPool2d(this.graph, this.unique('avg_pool'), x, attrs);
  }

  /** The mean over the pixels, `[n, 1, 1, c]`. */
  globalAvgPool(x: Tensor): Tensor {
    return globalAvgPool(this.graph, this.unique('global_avg_pool'), x);
  }

  add(a: Tensor, b: Tensor): Tensor {
    return add(this.graph, this.unique('add'), a, b);
  }

  /** a * b, b `[n, 1, 1, c]` or `[c]`. */
  mul(a: Tensor, b: Tensor): Tensor {
    return mul(this.graph, this.unique('mul'), a, b);
  }

  /** Tensors side by side over channels. */
  concat(tensors: readonly Tensor[]): Tensor {
    return concat(this.graph, this.unique('concat'), tensors);
  }

  /** Channels from `start` up to but not including `end`. */
  slice(x: Tensor, start: number, end: number): Tensor {
    return sliceChannels(this.graph, this.unique('slice'), x, start, end - start);
  }

  /** torch.nn.ChannelShuffle. */
  shuffle(x: Tensor, groups: number): Tensor {
    return shuffleChannels(this.graph, this.unique('shuffle'), x, groups);
  }

  /** Every `stride`-th pixel, with as many channels of zeros before as after. */
  subsample(x: Tensor, stride: number, channels: number): Tensor {
    const before = (channels - x.shape[3]) >> 1;
    return subsample(this.graph, this.unique('subsample'), x, stride, channels, before);
  }

  /** torch.nn.Dropout. */
  dropout(x: Tensor, p: number): Tensor {
    return this.drops(p) ? dropout(this.graph, this.unique('dropout'), x, p) : x;
  }

  /** torchvision's StochasticDepth by row: leaves an image's branch out with probability p. */
  stochasticDepth(x: Tensor, p: number): Tensor {
    return this.drops(p) ? stochasticDepth(this.graph, this.unique('stochastic_depth'), x, p) : x;
  }

  private drops(p: number): boolean {
    return p > 0 && this.options.training && !this.options.deterministic;
  }

  /** A name for a layer that the state dict does not know. */
  unique(kind: string): string {
    return `${kind}.${this.count++}`;
  }
}
