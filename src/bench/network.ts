/** MobileNetV2 x0.35 for images of 32 pixels: the network of the benchmark's training and inference cases. */

import { product } from '../graph/tensor';
import { floats, type StateDict } from '../io/tensor';
import { buildModel, type Value } from '../model/builder';
import type { Model } from '../model/model';
import { makeDivisible } from '../model/zoo/blocks';
import { uniform } from './numbers';

export const IMAGE_SIZE = 32;
export const CLASSES = 10;
export const FEATURES = 1280;
/** SGD's settings in the training cases */
export const LEARNING_RATE = 0.01;
export const MOMENTUM = 0.9;
export const NORM_EPS = 1e-5;
export const NORM_MOMENTUM = 0.1;

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

/** A convolution without bias, its batch norm, and ReLU6 where `act` is set; as data, for any library. */
export interface BenchLayer {
  kind: 'dense' | 'depthwise' | 'pointwise';
  /** height and width of the input */
  h: number;
  ci: number;
  co: number;
  k: number;
  stride: number;
  act: boolean;
  /** the layer's input is added to a later layer's output */
  save: boolean;
  /** the saved input is added to this layer's output */
  add: boolean;
}

/** The layers in order; after them the mean over the pixels and a linear layer. */
export function benchLayers(): BenchLayer[] {
  const layers: BenchLayer[] = [];
  let h = IMAGE_SIZE;
  let channels = 3;
  const layer = (
    kind: BenchLayer['kind'],
    co: number,
    { stride = 1, act = true, save = false, add = false } = {},
  ) => {
    layers.push({ kind, h, ci: channels, co, k: kind === 'pointwise' ? 1 : 3, stride, act, save, add });
    h = Math.ceil(h / stride);
    channels = co;
  };
  layer('dense', makeDivisible(32 * WIDTH));
  for (const [expansion, c, blocks, first] of STAGES) {
    const out = makeDivisible(c * WIDTH);
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? first : 1;
      const residual = stride === 1 && channels === out;
      const hidden = channels * expansion;
      if (expansion > 1) layer('pointwise', hidden, { save: residual });
      layer('depthwise', hidden, { stride, save: residual && expansion === 1 });
      layer('pointwise', out, { act: false, add: residual });
    }
  }
  layer('pointwise', FEATURES);
  return layers;
}

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
  return {
    layers: layers.map(({ kind, ci, co, k }, i) => {
      const shape: BenchWeights['shape'] = [co, kind === 'depthwise' ? 1 : ci, k, k];
      const weight = uniform(product(shape), 1000 + i, Math.sqrt(6 / product(shape.slice(1))));
      const map = kind === 'depthwise' ? uniform(co * co * 9, 6001 + i, 0.5 / Math.sqrt(9 * co)) : undefined;
      return { weight, shape, map };
    }),
    classifier: uniform(CLASSES * FEATURES, 9001, Math.sqrt(3 / FEATURES)),
  };
}

/** The network in the engine. Folded, each convolution has a bias in the place of a batch norm. */
export const benchModel = (folded: boolean): Model =>
  buildModel({ name: 'bench', classes: CLASSES }, (net, x) => {
    let y = x;
    let saved: Value | undefined;
    benchLayers().forEach(({ kind, co, k, stride, act, save, add }, i) => {
      if (save) saved = y;
      const groups = kind === 'depthwise' ? co : 1;
      y = net.conv(`layers.${i}.conv`, y, co, k, { stride, groups, bias: folded });
      if (!folded) {
        const norm = { eps: NORM_EPS, momentum: NORM_MOMENTUM };
        y = net.batchNorm(`layers.${i}.norm`, y, act ? 'relu6' : 'none', norm);
      } else if (act) y = net.activation(y, 'relu6');
      if (add) y = net.add(y, saved!);
    });
    return net.head('classifier', net.globalAvgPool(y));
  });

/** What the network starts from, as the engine's state dict. */
export function benchState(folded: boolean, refconv: boolean) {
  const weights = benchWeights(benchLayers());
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
  state.set('classifier.weight', floats([CLASSES, FEATURES], weights.classifier));
  vector('classifier.bias', CLASSES, 0);
  return state;
}
