import type { Graph } from '../graph/graph';
import { product, type Role, type Tensor } from '../graph/tensor';
import { type Activation, activation } from '../ops/activation';
import { batchNorm } from '../ops/batch-norm';
import { type ConvAttributes, conv2d } from '../ops/conv2d';
import { engineShape, type Layout, vectorLayout, weightLayout } from './layout';
import { type RefConvOptions, refocusedWeight } from './refconv';

/** How a tensor starts when a network is trained from random numbers. */
export type Init = 'kaiming-normal' | 'uniform' | 'zeros' | 'ones' | 'map' | { constant: number };

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
  refconv?: { path: 'dense' | 'factored'; mapShape: [number, number, number, number] };
}

export interface NetOptions {
  /** batch statistics, dropout and stochastic depth on */
  training: boolean;
  /** dropout and stochastic depth off in training too (for comparison with a reference) */
  deterministic?: boolean;
  refconv?: RefConvOptions;
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

  activation(x: Tensor, kind: Activation): Tensor {
    return activation(this.graph, this.unique(kind), x, kind);
  }

  /** A name for a layer that the state dict does not know. */
  unique(kind: string): string {
    return `${kind}.${this.count++}`;
  }
}
