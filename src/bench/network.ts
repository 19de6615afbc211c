/** The networks of the benchmark's training and inference cases, for images of 32 pixels. */

import { product } from '../graph/tensor';
import { floats, type StateDict } from '../io/tensor';
import { buildModel, type Value } from '../model/builder';
import type { Model } from '../model/model';
import { makeDivisible } from '../model/zoo/blocks';
import { uniform } from './numbers';

export const IMAGE_SIZE = 32;
export const CLASSES = 10;
/** SGD's settings in the training cases */
export const LEARNING_RATE = 0.01;
export const MOMENTUM = 0.9;
export const NORM_EPS = 1e-5;
export const NORM_MOMENTUM = 0.1;

/** MobileNetV2 x0.35, and ResNet-20 for CIFAR (He et al. 2015, section 4.2, shortcut "A"). */
export type BenchNetwork = 'mobilenet_v2' | 'resnet20';

const WIDTH = 0.35;

/** Expansion, channels at width 1, blocks, stride of the first block: fewer strides than ImageNet's. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 1],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/** A convolution without bias, its batch norm, what is added to it, and its activation; as data, for any library. */
export interface BenchLayer {
  kind: 'dense' | 'depthwise' | 'pointwise';
  /** height and width of the input */
  h: number;
  ci: number;
  co: number;
  k: number;
  stride: number;
  act?: 'relu' | 'relu6';
  /** the layer's input is added to a later layer's output */
  save: boolean;
  /**
   * the saved input is added to the norm's output: where that is smaller and deeper, every second pixel of it, with as many channels of
   * zeros before as after its own
   */
  add: boolean;
}

type LayerOptions = Partial<Pick<BenchLayer, 'stride' | 'act' | 'save' | 'add'>>;

/** Layers one after another, the first on images. */
class LayerList {
  readonly layers: BenchLayer[] = [];
  h = IMAGE_SIZE;
  channels = 3;

  add(kind: BenchLayer['kind'], co: number, options: LayerOptions = {}): void {
    const { stride = 1, act, save = false, add = false } = options;
    const k = kind === 'pointwise' ? 1 : 3;
    this.layers.push({ kind, h: this.h, ci: this.channels, co, k, stride, act, save, add });
    this.h = Math.ceil(this.h / stride);
    this.channels = co;
  }
}

/** The layers in order; after them the mean over the pixels and a linear layer. */
export const benchLayers = (network: BenchNetwork): BenchLayer[] =>
  network === 'resnet20' ? resnetLayers() : mobilenetLayers();

function mobilenetLayers(): BenchLayer[] {
  const list = new LayerList();
  const act = 'relu6';
  list.add('dense', makeDivisible(32 * WIDTH), { act });
  for (const [expansion, c, blocks, first] of STAGES) {
    const out = makeDivisible(c * WIDTH);
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? first : 1;
      const residual = stride === 1 && list.channels === out;
      const hidden = list.channels * expansion;
      if (expansion > 1) list.add('pointwise', hidden, { act, save: residual });
      list.add('depthwise', hidden, { act, stride, save: residual && expansion === 1 });
      list.add('pointwise', out, { add: residual });
    }
  }
  list.add('pointwise', 1280, { act });
  return list.layers;
}

function resnetLayers(): BenchLayer[] {
  const list = new LayerList();
  const act = 'relu';
  list.add('dense', 16, { act });
  for (const c of [16, 32, 64]) {
    for (let block = 0; block < 3; block++) {
      list.add('dense', c, { act, stride: c > list.channels ? 2 : 1, save: true });
      list.add('dense', c, { act, add: true });
    }
  }
  return list.layers;
}

/** Channels that the linear layer sees. */
export const featuresOf = (layers: readonly BenchLayer[]): number => layers[layers.length - 1].co;

/** Numbers of a layer: `weight` OIHW `[co, ci / groups, k, k]`, `map` `[co, co, 3, 3]` where it may be a RefConv. */
export interface BenchWeights {
  weight: Float32Array<ArrayBuffer>;
  shape: [number, number, number, number];
  map?: Float32Array<ArrayBuffer>;
}

/** The numbers that every library starts from; norms start at scale 1, shift 0, mean 0, variance 1. */
export function benchWeights(layers: readonly BenchLayer[]): {
  layers: BenchWeights[];
  /** `[classes, features]`; the bias is zero */
  classifier: Float32Array<ArrayBuffer>;
} {
  const features = featuresOf(layers);
  return {
    layers: layers.map(({ kind, ci, co, k }, i) => {
      const shape: BenchWeights['shape'] = [co, kind === 'depthwise' ? 1 : ci, k, k];
      const weight = uniform(product(shape), 1000 + i, Math.sqrt(6 / product(shape.slice(1))));
      const map = kind === 'depthwise' ? uniform(co * co * 9, 6001 + i, 0.5 / Math.sqrt(9 * co)) : undefined;
      return { weight, shape, map };
    }),
    classifier: uniform(CLASSES * features, 9001, Math.sqrt(3 / features)),
  };
}

/** The network in the engine. Folded, each convolution has a bias in the place of a batch norm. */
export const benchModel = (network: BenchNetwork, folded: boolean): Model =>
  buildModel({ name: 'bench', classes: CLASSES }, (net, x) => {
    let y = x;
    let saved: Value | undefined;
    benchLayers(network).forEach(({ kind, co, k, stride, act, save, add }, i) => {
      if (save) saved = y;
      const groups = kind === 'depthwise' ? co : 1;
      const activated = add || folded ? undefined : act;
      y = net.conv(`layers.${i}.conv`, y, co, k, { stride, groups, bias: folded });
      if (!folded) {
        const norm = { eps: NORM_EPS, momentum: NORM_MOMENTUM };
        y = net.batchNorm(`layers.${i}.norm`, y, activated ?? 'none', norm);
      }
      if (add) y = net.add(y, saved!.channels === co ? saved! : net.subsample(saved!, 2, co));
      if (act && !activated) y = net.activation(y, act);
    });
    return net.head('classifier', net.globalAvgPool(y));
  });

/** What the network starts from, as the engine's state dict. */
export function benchState(network: BenchNetwork, folded: boolean, refconv: boolean) {
  const layers = benchLayers(network);
  const weights = benchWeights(layers);
  const state: StateDict = new Map();
  const vector = (name: string, size: number, value: number) =>
    state.set(name, floats([size], new Float32Array(size).fill(value)));
  weights.layers.forEach(({ weight, shape, map }, i) => {
    const [co] = shape;
    const name = `layers.${i}`;
    const scale = 1 / Math.sqrt(1 + NORM_EPS);
    state.set(`${name}.conv.weight`, floats(shape, folded ? weight.map((w) => w * scale) : weight));
    if (folded) vector(`${name}.conv.bias`, co, 0);
    else {
      vector(`${name}.norm.weight`, co, 1);
      vector(`${name}.norm.bias`, co, 0);
      vector(`${name}.norm.running_mean`, co, 0);
      vector(`${name}.norm.running_var`, co, 1);
    }
    if (refconv && map) state.set(`${name}.conv.convmap.weight`, floats([co, co, 3, 3], map));
  });
  state.set('classifier.weight', floats([CLASSES, featuresOf(layers)], weights.classifier));
  vector('classifier.bias', CLASSES, 0);
  return state;
}
