/** TensorFlow.js on its WebGPU backend: NHWC, its own gradient kernels, its own optimiser. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import type { BenchCase } from '../../../src/bench/cases';
import { CONVNEXT_KERNEL, convnextWeights, eachWeight, LAYER_NORM_EPS } from '../../../src/bench/convnext';
import type { Job } from '../../../src/bench/measure';
import {
  type BenchLayer,
  type BenchNetwork,
  type BenchWeights,
  benchLayers,
  benchWeights,
  CLASSES,
  featuresOf,
  IMAGE_SIZE,
  LEARNING_RATE,
  MOMENTUM,
  NORM_EPS,
  NORM_MOMENTUM,
} from '../../../src/bench/network';
import { benchImages, benchLabels, uniform } from '../../../src/bench/numbers';
import { product } from '../../../src/graph/tensor';
import { type Library, oneHot, round } from './library';

type Case<K extends BenchCase['kind']> = Extract<BenchCase, { kind: K }>;

export const tfjs: Library = {
  async start() {
    if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js did not start its WebGPU backend');
    await tf.ready();
  },
  async job(c) {
    switch (c.kind) {
      case 'depthwise':
        return kernelJob(depthwise(c));
      case 'pointwise':
        return kernelJob(pointwise(c));
      case 'norm':
        return kernelJob(norm(c));
      case 'refocus':
        return kernelJob(refocus(c));
      case 'convnext':
        return kernelJob(convnext(c));
      case 'train':
        return trainJob(c);
      case 'infer':
        return inferJob(c);
    }
  },
};

/** Submits what the backend has only recorded, and waits for it. */
async function settle(): Promise<void> {
  const backend = tf.backend() as WebGPUBackend;
  const { commandEncoder } = backend as unknown as { commandEncoder: GPUCommandEncoder | null };
  backend.endComputePassEncoder();
  if (commandEncoder) backend.submitQueue();
  await backend.queue.onSubmittedWorkDone();
}

/** Repeats an op; the results are thrown away. */
function kernelJob(op: () => tf.Tensor | tf.Tensor[]): Job {
  return {
    run: () => void tf.tidy(() => void op()),
    wait: settle,
    async value() {
      const sums = tf.tidy(() => [op()].flat().map((result) => tf.sum(tf.abs(result))));
      const values = await Promise.all(sums.map(async (sum) => (await sum.data())[0]));
      return values.length === 1 ? values[0] : values;
    },
    dispose: () => tf.disposeVariables(),
  };
}

const numbers = (shape: number[], seed: number, scale = 1, offset = 0): tf.Tensor =>
  tf.tensor(uniform(product(shape), seed, scale, offset), shape);

type Padding = 'valid' | 'same' | [[number, number], [number, number], [number, number], [number, number]];

/** Padding by half the kernel; under a stride of two `same` would put it elsewhere than PyTorch does. */
function pad(k: number, stride: number): Padding {
  if (k === 1) return 'valid';
  const half: [number, number] = [k >> 1, k >> 1];
  return stride === 1 ? 'same' : [[0, 0], half, half, [0, 0]];
}

const kernel = (name: string, inputs: tf.NamedTensorMap, attrs: object): tf.Tensor =>
  tf.engine().runKernel(name, inputs, attrs as tf.NamedAttrMap) as tf.Tensor;

function depthwise({ pass, n, h, c, k, stride }: Case<'depthwise'>): () => tf.Tensor {
  const oh = Math.ceil(h / stride);
  const x = numbers([n, h, h, c], 1) as tf.Tensor4D;
  const filter = numbers([k, k, c, 1], 2) as tf.Tensor4D;
  const dy = numbers([n, oh, oh, c], 3);
  const attrs = { strides: [stride, stride], pad: pad(k, stride), dilations: [1, 1], dataFormat: 'NHWC' };
  if (pass === 'fwd') return () => tf.depthwiseConv2d(x, filter, stride, pad(k, stride));
  if (pass === 'bwdx') {
    const all = { ...attrs, inputShape: x.shape };
    return () => kernel('DepthwiseConv2dNativeBackpropInput', { dy, filter }, all);
  }
  return () =>
    kernel('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { ...attrs, filterShape: filter.shape });
}

function pointwise({ pass, n, h, ci, co }: Case<'pointwise'>): () => tf.Tensor {
  const x = numbers([n, h, h, ci], 1) as tf.Tensor4D;
  const filter = numbers([1, 1, ci, co], 2) as tf.Tensor4D;
  const dy = numbers([n, h, h, co], 3);
  if (pass === 'fwd') return () => tf.conv2d(x, filter, 1, 'valid');
  const attrs = { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC' };
  return () => {
    kernel('Conv2DBackpropInput', { dy, filter }, { ...attrs, inputShape: x.shape });
    return kernel('Conv2DBackpropFilter', { x, dy }, { ...attrs, filterShape: filter.shape });
  };
}

function norm({ pass, n, h, c }: Case<'norm'>): () => tf.Tensor {
  const x = numbers([n, h, h, c], 1, 2, 0.5);
  const weight = numbers([c], 2, 0.5, 1);
  const bias = numbers([c], 3);
  const dy = numbers([n, h, h, c], 4);
  const forward = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    return normalize(x, mean, variance, bias, weight);
  };
  if (pass === 'fwd') return () => forward(x, weight, bias);
  const gradients = tf.grads(forward);
  return () => gradients([x, weight, bias], dy)[0];
}

const normalize = (x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, bias: tf.Tensor, weight: tf.Tensor) =>
  tf.batchNorm(
    x,
    mean as tf.Tensor1D,
    variance as tf.Tensor1D,
    bias as tf.Tensor1D,
    weight as tf.Tensor1D,
    NORM_EPS,
  );

function refocus({ pass, c, k }: Case<'refocus'>): () => tf.Tensor {
  const basis = tf.reshape(numbers([k, k, c], 1), [1, k, k, c]) as tf.Tensor4D;
  const map = hwio(uniform(c * c * 9, 2), [c, c, 3, 3]);
  const dy = numbers([1, k, k, c], 3);
  if (pass === 'fwd') return () => tf.add(basis, tf.conv2d(basis, map, 1, 'same'));
  const attrs = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', filterShape: map.shape };
  return () => kernel('Conv2DBackpropFilter', { x: basis, dy }, attrs);
}

/** The block and its gradients. */
function convnext({ n, h, c }: Case<'convnext'>): () => tf.Tensor[] {
  const x = numbers([n, h, h, c], 1);
  const weights = eachWeight(convnextWeights(c), ({ shape, data }, name) => {
    if (name === 'depthwise') return tf.tensor(data, [CONVNEXT_KERNEL, CONVNEXT_KERNEL, c, 1]);
    // a linear layer's, over rows of channels
    return tf.tensor(data, shape.length === 4 ? shape.slice(2) : shape);
  });
  const dy = numbers([n, h, h, c], 3);
  const names = Object.keys(weights) as (keyof typeof weights)[];
  const f = (x: tf.Tensor, ...args: tf.Tensor[]): tf.Tensor => {
    const w = Object.fromEntries(names.map((name, i) => [name, args[i]])) as typeof weights;
    const mixed = tf.depthwiseConv2d(x as tf.Tensor4D, w.depthwise as tf.Tensor4D, 1, 'same');
    const rows = tf.add(tf.reshape(mixed, [-1, c]), w.depthwiseBias);
    const { mean, variance } = tf.moments(rows, 1, true);
    const scaled = tf.mul(tf.sub(rows, mean), tf.rsqrt(tf.add(variance, LAYER_NORM_EPS)));
    const normed = tf.add(tf.mul(scaled, w.gain), w.shift);
    const before = tf.add(tf.matMul(normed as tf.Tensor2D, w.fc1 as tf.Tensor2D), w.bias1);
    const hidden = tf.mul(tf.mul(before, 0.5), tf.add(tf.erf(tf.mul(before, Math.SQRT1_2)), 1));
    const y = tf.add(tf.matMul(hidden as tf.Tensor2D, w.fc2 as tf.Tensor2D), w.bias2);
    return tf.add(tf.reshape(tf.mul(y, w.scale), x.shape), x);
  };
  const both = tf.valueAndGrads(f);
  return () => {
    const { value, grads } = both([x, ...Object.values(weights)], dy);
    return [value, ...grads];
  };
}

/** PyTorch's OIHW numbers as HWIO. */
const hwio = (data: Float32Array, shape: BenchWeights['shape']): tf.Tensor4D =>
  tf.tidy(() => tf.transpose(tf.tensor(data, shape), [2, 3, 1, 0]) as tf.Tensor4D);

interface Layer extends BenchLayer {
  weight: tf.Tensor;
  map?: tf.Variable;
  gamma: tf.Variable;
  beta: tf.Variable;
  mean: tf.Variable;
  variance: tf.Variable;
}

/** Everything that a network has on the device. */
function network(name: BenchNetwork, batch: number, refconv: boolean) {
  const layers = benchLayers(name);
  const weights = benchWeights(layers);
  const vector = (size: number, value: number, trains: boolean) =>
    tf.variable(tf.fill([size], value), trains);
  return {
    layers: layers.map((layer, i): Layer => {
      const { weight, shape, map } = weights.layers[i];
      const { co, kind, k } = layer;
      // TensorFlow.js has depthwise weights as [k, k, channels, 1]
      const oriented =
        kind === 'depthwise' ? tf.reshape(hwio(weight, shape), [k, k, co, 1]) : hwio(weight, shape);
      const refocused = refconv && map !== undefined;
      return {
        ...layer,
        weight: refocused ? oriented : tf.variable(oriented),
        map: refocused ? tf.variable(hwio(map, [co, co, 3, 3])) : undefined,
        gamma: vector(co, 1, true),
        beta: vector(co, 0, true),
        mean: vector(co, 0, false),
        variance: vector(co, 1, false),
      };
    }),
    classifier: tf.variable(tf.tensor(weights.classifier, [CLASSES, featuresOf(layers)])),
    bias: vector(CLASSES, 0, true),
    images: tf.tensor4d(benchImages(batch, IMAGE_SIZE), [batch, IMAGE_SIZE, IMAGE_SIZE, 3]),
  };
}

type Network = ReturnType<typeof network>;

function convolve(x: tf.Tensor, { kind, weight, map, k, co, stride }: Layer): tf.Tensor {
  if (kind !== 'depthwise') return tf.conv2d(x as tf.Tensor4D, weight as tf.Tensor4D, stride, pad(k, stride));
  let filter = weight;
  if (map) {
    const image = tf.reshape(weight, [1, k, k, co]) as tf.Tensor4D;
    const added = tf.conv2d(image, map as unknown as tf.Tensor4D, 1, 'same');
    filter = tf.reshape(tf.add(image, added), [k, k, co, 1]);
  }
  return tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, stride, pad(k, stride));
}

/** Every second pixel under channels of zeros, where there are to be more than x has. */
function shortcut(x: tf.Tensor, co: number): tf.Tensor {
  const ci = x.shape[3]!;
  if (ci === co) return x;
  const around: [number, number] = [(co - ci) / 2, (co - ci) / 2];
  return tf.pad(tf.avgPool(x as tf.Tensor4D, 1, 2, 'valid'), [[0, 0], [0, 0], [0, 0], around]);
}

/** Logits, each layer's convolution and norm by `layer`, which is `fused` with the activation or not. */
function forward(
  net: Network,
  layer: (x: tf.Tensor, l: Layer, i: number) => tf.Tensor,
  fused = false,
): tf.Tensor {
  let y: tf.Tensor = net.images;
  let saved = y;
  net.layers.forEach((l, i) => {
    if (l.save) saved = y;
    y = layer(y, l, i);
    if (l.add) y = tf.add(y, shortcut(saved, l.co));
    if (l.act && !fused) y = l.act === 'relu' ? tf.relu(y) : tf.relu6(y);
  });
  const features = tf.mean(y, [1, 2]) as tf.Tensor2D;
  return tf.add(tf.matMul(features, net.classifier as tf.Tensor2D, false, true), net.bias);
}

function trainJob({ network: name, batch, refconv }: Case<'train'>): Job {
  const net = network(name, batch, refconv);
  const target = tf.tensor(oneHot(benchLabels(batch), CLASSES), [batch, CLASSES]);
  const optimizer = tf.train.momentum(LEARNING_RATE, MOMENTUM);
  const trainingLayer = (x: tf.Tensor, l: Layer): tf.Tensor => {
    const y = convolve(x, l);
    const { mean, variance } = tf.moments(y, [0, 1, 2]);
    const count = y.size / l.co;
    blend(l.mean, mean, 1);
    blend(l.variance, variance, count / (count - 1));
    return normalize(y, mean, variance, l.beta, l.gamma);
  };
  const loss = () => tf.losses.softmaxCrossEntropy(target, forward(net, trainingLayer)) as tf.Scalar;
  const losses: number[] = [];
  let last: tf.Scalar | undefined;
  return {
    run() {
      last?.dispose();
      last = optimizer.minimize(loss, true) as tf.Scalar;
    },
    async wait() {
      losses.push(round((await last!.data())[0]));
      await settle();
    },
    value: async () => losses.slice(0, 4),
    dispose: () => tf.disposeVariables(),
  };
}

/** A running statistic takes its share of the batch's. */
function blend(running: tf.Variable, fresh: tf.Tensor, factor: number): void {
  running.assign(tf.add(tf.mul(running, 1 - NORM_MOMENTUM), tf.mul(fresh, NORM_MOMENTUM * factor)));
}

function inferJob({ batch, folded }: Case<'infer'>): Job {
  const net = network('mobilenet_v2', batch, false);
  const fold = tf.tidy(() =>
    net.layers.map(({ kind, weight, gamma, beta, mean, variance }) => {
      const scale = tf.div(gamma, tf.sqrt(tf.add(variance, NORM_EPS)));
      const filter = tf.mul(weight, kind === 'depthwise' ? tf.reshape(scale, [1, 1, -1, 1]) : scale);
      return { filter: filter as tf.Tensor4D, bias: tf.sub(beta, tf.mul(mean, scale)) };
    }),
  );
  const plainLayer = (x: tf.Tensor, l: Layer): tf.Tensor =>
    normalize(convolve(x, l), l.mean, l.variance, l.beta, l.gamma);
  const foldedLayer = (x: tf.Tensor, l: Layer, i: number): tf.Tensor => {
    const activation = l.act ?? ('linear' as const);
    const args = { x: x as tf.Tensor4D, strides: l.stride, activation, ...fold[i] };
    // its types know less padding than it takes
    const padding = pad(l.k, l.stride) as 'same';
    if (l.kind === 'depthwise') return tf.fused.depthwiseConv2d({ ...args, pad: padding });
    return tf.fused.conv2d({ ...args, pad: padding });
  };
  let last: tf.Tensor | undefined;
  let logits: ArrayLike<number> = [];
  return {
    run() {
      last?.dispose();
      last = tf.tidy(() => forward(net, folded ? foldedLayer : plainLayer, folded));
    },
    async wait() {
      logits = await last!.data();
      await settle();
    },
    value: async () => Array.from(logits).slice(0, 4).map(round),
    dispose: () => tf.disposeVariables(),
  };
}
