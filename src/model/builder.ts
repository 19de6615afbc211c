import { type Activation, keepsZero } from '../ops/activation';
import type { BlockAttributes } from '../ops/channels';
import { type Layout, vectorLayout, weightLayout } from './layout';
import {
  channelsAfter,
  type Head,
  headChannels,
  type Init,
  type Layer,
  type LayerKind,
  type Model,
  type ModelInput,
  type Pair,
  type StateEntry,
  type TaskName,
} from './model';

/** What a layer reads or writes while a model is built. */
export interface Value {
  readonly id: number;
  readonly channels: number;
}

/** PyTorch's names; the stride is the kernel's size by default. */
export interface PoolOptions {
  stride?: number;
  padding?: number;
  ceilMode?: boolean;
}

export interface AvgPoolOptions extends Omit<PoolOptions, 'stride'> {
  stride?: number | Pair;
  countIncludePad?: boolean;
}

export interface ConvOptions {
  stride?: number | Pair;
  padding?: number | Pair;
  /** below and right of the image, where that is other than above and left of it */
  paddingEnd?: Pair;
  dilation?: number | Pair;
  groups?: number;
  bias?: boolean;
}

const pair = (v: number | Pair): Pair => (typeof v === 'number' ? [v, v] : v);

/** A pooling over windows. */
type PoolLayer = Extract<LayerKind, { kind: 'max_pool' | 'avg_pool' }>;

/** Adds an architecture's layers and gives its logits. */
export type Architecture = (net: Builder, x: Value) => Value;

/** Torchvision's way with images of ImageNet. */
export const IMAGENET: ModelInput = {
  channels: 3,
  size: 224,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

export interface ModelOptions {
  /** the architecture's */
  name: string;
  classes: number;
  args?: Record<string, unknown>;
  input?: ModelInput;
  /** default: classification */
  task?: TaskName;
}

/** The model that an architecture makes. */
export function buildModel(
  { name, classes, args = {}, input = IMAGENET, task = 'classification' }: ModelOptions,
  architecture: Architecture,
): Model {
  const net = new Builder(input.channels, classes, task);
  const logits = architecture(net, net.image);
  return net.finish({ name, args, input, logits: logits.id });
}

/**
 * The chance of an object that a new detector gives each cell and class (RetinaNet's, arXiv 1708.02002): nearly all cells have none, and from
 * a half their losses would drown those of the few that have one.
 */
const PRIOR = 0.01;

/** Builds a model layer by layer under PyTorch's state-dict names. */
export class Builder {
  readonly image: Value;
  private readonly layers: Layer[] = [];
  private readonly state: StateEntry[] = [];
  private known?: { head: Head; features: number };

  constructor(
    channels: number,
    private readonly classes: number,
    private readonly task: TaskName = 'classification',
  ) {
    this.image = { id: 0, channels };
  }

  finish(rest: Pick<Model, 'name' | 'args' | 'input' | 'logits'>): Model {
    if (!this.known) throw new Error(`${rest.name} has no head`);
    return { ...rest, task: this.task, layers: this.layers, state: this.state, ...this.known };
  }

  /** What `build` adds to the state dict, by which of these modules it is of: PyTorch's order is not that of execution. */
  ordered<T>(modules: readonly string[], build: () => T): T {
    const before = this.state.length;
    const result = build();
    const added = this.state.splice(before);
    const of = (module: string) => added.filter(({ name }) => name.startsWith(`${module}.`));
    this.state.push(...modules.flatMap(of));
    if (this.state.length !== before + added.length)
      throw new Error(`${modules.join(', ')} are not all the modules that were added`);
    return result;
  }

  /** torch.nn.Conv2d. Padding keeps the size by default. */
  conv(name: string, x: Value, out: number, kernel: number | Pair, options: ConvOptions = {}): Value {
    const { stride = 1, dilation = 1, groups = 1, bias = false, paddingEnd } = options;
    const [kh, kw] = pair(kernel);
    const shape: [number, number, number, number] = [out, x.channels / groups, kh, kw];
    this.entry(`${name}.weight`, shape, weightLayout(shape, groups), 'kaiming-normal');
    if (bias) this.vector(`${name}.bias`, [out], 'zeros');
    return this.layer([x], {
      kind: 'conv',
      name,
      shape,
      stride: pair(stride),
      padding: pair(options.padding ?? [kh >> 1, kw >> 1]),
      ...(paddingEnd && { paddingEnd }),
      dilation: pair(dilation),
      groups,
      bias,
    });
  }

  /** torch.nn.BatchNorm2d, with the activation that follows it. */
  batchNorm(
    name: string,
    x: Value,
    activation: Activation = 'none',
    { eps = 1e-5, momentum = 0.1 } = {},
  ): Value {
    const shape = [x.channels];
    this.vector(`${name}.weight`, shape, 'ones');
    this.vector(`${name}.bias`, shape, 'zeros');
    this.vector(`${name}.running_mean`, shape, 'zeros', 'state');
    this.vector(`${name}.running_var`, shape, 'ones', 'state');
    return this.layer([x], { kind: 'batch_norm', name, eps, momentum, activation });
  }

  /** torch.nn.LayerNorm over the channels of each pixel. */
  layerNorm(name: string, x: Value, eps: number): Value {
    this.vector(`${name}.weight`, [x.channels], 'ones');
    this.vector(`${name}.bias`, [x.channels], 'zeros');
    return this.layer([x], { kind: 'layer_norm', name, eps });
  }

  /** ConvNeXtV2's GlobalResponseNorm, timm's names. */
  globalResponseNorm(name: string, x: Value, eps = 1e-6): Value {
    this.vector(`${name}.weight`, [x.channels], 'zeros');
    this.vector(`${name}.bias`, [x.channels], 'zeros');
    return this.layer([x], { kind: 'global_response_norm', name, eps });
  }

  /** torch.nn.Linear over the channels of each pixel; with `pixels` over a flattened image of so many rows and columns. */
  linear(name: string, x: Value, out: number, pixels?: Pair): Value {
    const [rows, columns] = pixels ?? [1, 1];
    const shape: [number, number] = [out, x.channels * rows * columns];
    const init = { uniform: shape[1] ** -0.5 };
    this.entry(`${name}.weight`, shape, weightLayout([out, x.channels, rows, columns]), init);
    this.vector(`${name}.bias`, [out], init);
    return this.layer([x], { kind: 'linear', name, shape, ...(pixels && { pixels }) });
  }

  /**
   * The layer that tells the classes apart: torch.nn.Linear, or a 1 x 1 convolution that starts as SqueezeNet's. A detector's scores
   * start at a chance of `PRIOR`.
   */
  head(name: string, x: Value, kind: Head['kind'] = 'linear'): Value {
    if (this.known) throw new Error(`${name} would be a second head beside ${this.known.head.name}`);
    this.known = { head: { name, kind, features: x.channels, classes: this.classes }, features: x.id };
    const channels = headChannels(this.task, this.classes);
    if (kind === 'linear') return this.linear(name, x, channels);
    const y = this.conv(name, x, channels, 1, { bias: true });
    const entryOf = (part: string) => this.state.find((entry) => entry.name === `${name}.${part}`)!;
    entryOf('weight').init = { normal: 0.01 };
    if (this.task === 'detection')
      entryOf('bias').init = { constant: Math.log(PRIOR / (1 - PRIOR)), zeros: headChannels('detection', 0) };
    return y;
  }

  /** Makes a layer that is there already the one that tells the classes apart, if it can be. */
  headIs(name: string): boolean {
    const layer = this.layers.find((other) => other.name === name);
    if (layer?.kind !== 'conv' && layer?.kind !== 'linear') return false;
    const [classes, features] = layer.shape;
    this.known = { head: { name, kind: layer.kind, features, classes }, features: layer.inputs[0] };
    return true;
  }

  /** Makes an entry of the state dict one that never trains. */
  hold(name: string): void {
    this.state.find((entry) => entry.name === name)!.role = 'constant';
  }

  /** The layer that makes a value; undefined for the image. */
  maker({ id }: Value): Readonly<Layer> | undefined {
    return this.layers[id - 1];
  }

  activation(x: Value, activation: Activation): Value {
    return this.layer([x], { kind: 'activation', activation });
  }

  /**
   * The same, by the batch norm that made x where there is one without an activation.
   * @param isAlone nothing else reads x
   */
  activated(x: Value, activation: Activation, isAlone: boolean): Value {
    const maker = this.layers[x.id - 1];
    if (!isAlone || maker?.kind !== 'batch_norm' || maker.activation !== 'none' || !keepsZero(activation))
      return this.activation(x, activation);
    maker.activation = activation;
    return x;
  }

  /** A product of two values, times a number; undefined where x is no product. */
  multiplied(x: Value, factor: number): Value | undefined {
    const maker = this.layers[x.id - 1];
    if (maker?.kind !== 'mul') return undefined;
    maker.factor = (maker.factor ?? 1) * factor;
    return x;
  }

  /** A pooling with all of its attributes. */
  pool(x: Value, attributes: PoolLayer): Value {
    return this.layer([x], attributes);
  }

  maxPool(
    x: Value,
    kernel: number,
    { stride = kernel, padding = 0, ceilMode = false }: PoolOptions = {},
  ): Value {
    const attributes = { kernel: pair(kernel), stride: pair(stride), padding: pair(padding), ceilMode };
    return this.layer([x], { kind: 'max_pool', ...attributes });
  }

  avgPool(
    x: Value,
    kernel: number | Pair,
    { stride = kernel, padding = 0, ceilMode = false, countIncludePad = true }: AvgPoolOptions = {},
  ): Value {
    const attributes = { kernel: pair(kernel), stride: pair(stride), padding: pair(padding), ceilMode };
    return this.layer([x], { kind: 'avg_pool', ...attributes, countIncludePad });
  }

  /** The mean over the pixels, `[n, 1, 1, c]`. */
  globalAvgPool(x: Value): Value {
    return this.layer([x], { kind: 'global_avg_pool' });
  }

  /** torch.nn.AdaptiveAvgPool2d. */
  adaptiveAvgPool(x: Value, size: Pair): Value {
    return this.layer([x], { kind: 'adaptive_avg_pool', size });
  }

  /** torch.nn.Upsample of mode nearest, by a whole factor. */
  upsample(x: Value, scale: number): Value {
    return this.layer([x], { kind: 'upsample', scale });
  }

  add(a: Value, b: Value): Value {
    return this.layer([a, b], { kind: 'add' });
  }

  /** factor * a * b, b of a's shape or `[n, 1, 1, c]`. */
  mul(a: Value, b: Value, factor = 1): Value {
    return this.layer([a, b], { kind: 'mul', ...(factor !== 1 && { factor }) });
  }

  /** x times a vector of the state dict, one number a channel. */
  scale(x: Value, weight: string): Value {
    return this.layer([x], { kind: 'mul', weight });
  }

  /** Values side by side over channels. */
  concat(values: readonly Value[]): Value {
    return this.layer(values, { kind: 'concat' });
  }

  /** x with `first` in the place of its first channels. */
  replace(x: Value, first: Value): Value {
    return this.layer([x, first], { kind: 'replace' });
  }

  /** Channels from `start` up to but not including `end`. */
  slice(x: Value, start: number, end: number): Value {
    return this.layer([x], { kind: 'slice', start, end });
  }

  /** torch.nn.ChannelShuffle. */
  shuffle(x: Value, groups: number): Value {
    return this.layer([x], { kind: 'shuffle', groups });
  }

  /** Channels as blocks of pixels, or these as channels: torch.nn.PixelShuffle and PixelUnshuffle by the order `chw`. */
  depthToSpace(x: Value, blocks: BlockAttributes): Value {
    return this.layer([x], blocks);
  }

  /** Every `stride`-th pixel, with channels of zeros `before` x's and after them; by default as many before as after. */
  subsample(
    x: Value,
    stride: number,
    channels: number,
    before: number = (channels - x.channels) >> 1,
  ): Value {
    return this.layer([x], { kind: 'subsample', stride, channels, before });
  }

  /** torch.nn.Dropout. */
  dropout(x: Value, p: number): Value {
    return p > 0 ? this.layer([x], { kind: 'dropout', p }) : x;
  }

  /** torchvision's StochasticDepth by row: leaves an image's branch out with probability p. */
  stochasticDepth(x: Value, p: number): Value {
    return p > 0 ? this.layer([x], { kind: 'stochastic_depth', p }) : x;
  }

  /** Declares a vector of the state dict; anything of more dimensions lies as one. */
  vector(name: string, shape: number[], init: Init, role: StateEntry['role'] = 'parameter'): void {
    this.entry(name, shape, vectorLayout(shape), init, role);
  }

  private entry(
    name: string,
    shape: readonly number[],
    layout: Layout,
    init: Init,
    role: StateEntry['role'] = 'parameter',
  ): void {
    if (this.state.some((entry) => entry.name === name)) throw new Error(`two tensors are named ${name}`);
    this.state.push({ name, shape: [...shape], layout, role, init });
  }

  private layer(inputs: readonly Value[], kind: LayerKind): Value {
    const id = this.layers.length + 1;
    this.layers.push({ ...kind, id, inputs: inputs.map((x) => x.id) });
    return {
      id,
      channels: channelsAfter(
        kind,
        inputs.map((x) => x.channels),
      ),
    };
  }
}
