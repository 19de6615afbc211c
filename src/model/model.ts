/**
 * A convolutional network as plain data: layers over values, the entries of its state dict, and the head apart. It can be
 * printed, cloned and sent to a worker; it knows no image size, no batch and no device (`instantiate` brings those).
 */
import { product, type Role } from '../graph/tensor';
import type { Activation } from '../ops/activation';
import type { BlockAttributes } from '../ops/channels';
import type { Layout } from './layout';

export type Pair = [number, number];

export interface ConvLayer {
  kind: 'conv';
  name: string;
  /** the weight's, OIHW */
  shape: [number, number, number, number];
  stride: Pair;
  /** above and left of the image; at the other sides too, unless `paddingEnd` is given, as TensorFlow's "same" takes it */
  padding: Pair;
  /** below and right of the image */
  paddingEnd?: Pair;
  dilation: Pair;
  groups: number;
  bias: boolean;
  /** set where the convolution is a RefConv */
  refconv?: RefConv;
  /** set where the gradient of the weight is multiplied by a matrix */
  precondition?: Precondition;
  /** set where branches stand beside it */
  branches?: Branches;
}

export interface BatchNormLayer {
  kind: 'batch_norm';
  name: string;
  eps: number;
  momentum: number;
  activation: Activation;
  /** the network has it only while it trains: a merge folds it into the convolution before it */
  added?: true;
}

/** How a convolution's weight is refocused: W_t = identity * W_b + conv2d(W_b, W_r). */
export interface RefConv {
  /** as a map W_r `[N, P, k, k]`, or in the exact factored form of it */
  path: 'dense' | 'factored';
  /** k, odd */
  mapKernel: number;
  /** the first term of equation 1 */
  identity: boolean;
  /** W_r starts from numbers other than zero */
  startsNonZero: boolean;
}

/** How a convolution's weight is fine-tuned with a preconditioner: W = W_b + D, where D's gradient is dW P. */
export interface Precondition {
  /** what P is made of, see `preconditionerOf` */
  matrix: (typeof PRECONDITIONERS)[number];
  /** k of the map whose Gram matrix it is made of, odd */
  mapKernel: number;
  /** of the random rotation */
  seed: number;
}

export const PRECONDITIONERS = ['gram', 'random', 'diagonal', 'own', 'identity', 'layer'] as const;

/** What stands beside a convolution while it trains, see structural.ts. */
export interface Branches {
  form: (typeof BRANCH_FORMS)[number];
  /** the batch norm that is behind the convolution alone, in the first branch */
  norm?: { name: string; eps: number };
  /** the value that the convolution made before it had branches, now that of their sum, where no norm is in the first of them */
  sum?: number;
}

export const BRANCH_FORMS = ['acnet', 'repvgg', 'dbb', 'orepa'] as const;

export interface LinearLayer {
  kind: 'linear';
  name: string;
  /** the weight's, `[out, in]` */
  shape: [number, number];
  /** rows and columns of pixels that it takes at once, flattened as PyTorch does: channels, then rows, then columns */
  pixels?: Pair;
}

/**
 * What a layer does to its inputs, in PyTorch's words. Layers with entries in the state dict have its name; a linear
 * layer has a bias, and works on the channels of each pixel as layer norm does.
 */
export type LayerKind =
  | ConvLayer
  | LinearLayer
  | BatchNormLayer
  | { kind: 'layer_norm'; name: string; eps: number }
  | { kind: 'global_response_norm'; name: string; eps: number }
  | { kind: 'activation'; activation: Activation }
  | { kind: 'max_pool'; kernel: Pair; stride: Pair; padding: Pair; paddingEnd?: Pair; ceilMode: boolean }
  | {
      kind: 'avg_pool';
      kernel: Pair;
      stride: Pair;
      padding: Pair;
      paddingEnd?: Pair;
      ceilMode: boolean;
      countIncludePad: boolean;
    }
  | { kind: 'global_avg_pool' }
  /** to so many rows and columns, whatever comes */
  | { kind: 'adaptive_avg_pool'; size: Pair }
  /** every pixel becomes a block of so many by so many */
  | { kind: 'upsample'; scale: number }
  | { kind: 'add' }
  /** the second factor is an input of that shape or `[n, 1, 1, c]`, or the vector of that name in the state dict; `factor` a third */
  | { kind: 'mul'; weight?: string; factor?: number }
  | { kind: 'concat' }
  /** the first input with the second in the place of its first channels */
  | { kind: 'replace' }
  /** channels from `start` up to but not including `end` */
  | { kind: 'slice'; start: number; end: number }
  | { kind: 'shuffle'; groups: number }
  /** channels as blocks of pixels, or these as channels */
  | BlockAttributes
  /** every stride-th pixel, with channels of zeros before and after the input's */
  | { kind: 'subsample'; stride: number; channels: number; before: number }
  | { kind: 'dropout'; p: number }
  | { kind: 'stochastic_depth'; p: number };

/** A layer in its place: it reads the values `inputs` and writes the value `id`. A plan numbers layers without a name. */
export type Layer = LayerKind & { id: number; inputs: number[]; name?: string };

/** How a tensor starts when a network is trained from random numbers. */
export type Init =
  | 'kaiming-normal'
  | 'zeros'
  | 'ones'
  | 'map'
  /** the last so many numbers are zero; default: none */
  | { constant: number; zeros?: number }
  | { uniform: number }
  | { normal: number };

/** An entry of the state dict, and how it lies in memory. */
export interface StateEntry {
  /** PyTorch's key */
  name: string;
  /** PyTorch's shape */
  shape: number[];
  layout: Layout;
  /** `constant`: loaded, and never trained */
  role: Extract<Role, 'parameter' | 'state' | 'constant'>;
  init: Init;
}

/** What a network is trained for: the class of an image, that of each pixel, or the boxes and classes of objects. */
export type TaskName = 'classification' | 'segmentation' | 'detection';

/**
 * Channels of a head for so many classes: of a pixel one more, for what is of none, comes first; behind the classes of an object
 * come four, of its box.
 */
export const headChannels = (task: TaskName, classes: number): number =>
  classes + { classification: 0, segmentation: 1, detection: 4 }[task];

/** The layer that tells the classes apart. */
export interface Head {
  /** the layer's, under which its weight and bias are in the state dict */
  name: string;
  kind: 'linear' | 'conv';
  /** channels of the value that goes into it */
  features: number;
  classes: number;
}

/** What the network was made for: channels (colours, or one gray) and side in pixels of its images, and how they are normalised. */
export interface ModelInput {
  channels: 1 | 3;
  size: number;
  mean: number[];
  std: number[];
  /** rows and columns of the only images that it takes; absent: it takes any */
  sides?: Pair;
}

export interface Model {
  /** the architecture's */
  name: string;
  /** every argument of the architecture but the number of classes, the defaults too; torchvision's names */
  args: Record<string, unknown>;
  input: ModelInput;
  /** what its logits say */
  task: TaskName;
  /** in order of execution; the image is the value 0 */
  layers: Layer[];
  /** in PyTorch's order */
  state: StateEntry[];
  head: Head;
  /** the value that goes into the head */
  features: number;
  /** the value that comes out last, `[n, h, w, headChannels]`; h and w are 1 where it tells the class of an image */
  logits: number;
}

/** A model's convolutions in order; the weight of each is `<name>.weight` of the state dict. */
export const convolutions = ({ layers }: Model): (ConvLayer & Layer)[] =>
  layers.filter((layer) => layer.kind === 'conv');

/** Numbers in the network's parameters, frozen ones too; RefConv's maps, which a merge takes away, do not count. */
export const parameterCount = ({ state }: Model): number =>
  state
    .filter(({ role, init }) => role !== 'state' && init !== 'map')
    .reduce((sum, { shape }) => sum + product(shape), 0);

/** Channels of every value, by its id. */
export function channelsOf({ input, layers }: Model): Map<number, number> {
  const channels = new Map<number, number>([[0, input.channels]]);
  for (const layer of layers) {
    const inputs = layer.inputs.map((id) => channels.get(id)!);
    channels.set(layer.id, channelsAfter(layer, inputs));
  }
  return channels;
}

/** Channels that a layer gives, of those that it takes. */
export function channelsAfter(layer: LayerKind, inputs: readonly number[]): number {
  switch (layer.kind) {
    case 'conv':
    case 'linear':
      return layer.shape[0];
    case 'concat':
      return inputs.reduce((a, b) => a + b, 0);
    case 'slice':
      return layer.end - layer.start;
    case 'subsample':
      return layer.channels;
    case 'depth_to_space':
      return inputs[0] / layer.block ** 2;
    case 'space_to_depth':
      return inputs[0] * layer.block ** 2;
    default:
      return inputs[0];
  }
}
