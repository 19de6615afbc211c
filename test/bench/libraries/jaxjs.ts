/**
 * jax-js on its WebGPU backend: NCHW, the only layout of its convolutions, and everything under jit. Every operation
 * consumes its operands; `.ref` keeps one for another use.
 */
import * as jax from '@jax-js/jax';
import type { BenchCase } from '../../../src/bench/cases';
import { CONVNEXT_KERNEL, convnextWeights, eachWeight, LAYER_NORM_EPS } from '../../../src/bench/convnext';
import type { Job } from '../../../src/bench/measure';
import {
  type BenchLayer,
  type BenchNetwork,
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
import { pack } from '../../../src/model/layout';
import { type Library, oneHot, round } from './library';

const { numpy: np, lax, nn, jit, grad, valueAndGrad, vjp, tree } = jax;
type Tensor = jax.Array;
type Case<K extends BenchCase['kind']> = Extract<BenchCase, { kind: K }>;

export const jaxjs: Library = {
  async start() {
    const devices = await jax.init('webgpu');
    if (!devices.includes('webgpu')) throw new Error('jax-js did not start its WebGPU backend');
    jax.defaultDevice('webgpu');
  },
  async job(c) {
    switch (c.kind) {
      case 'depthwise':
        return depthwise(c);
      case 'pointwise':
        return pointwise(c);
      case 'norm':
        return norm(c);
      case 'refocus':
        return refocus(c);
      case 'convnext':
        return convnext(c);
      case 'train':
        return trainJob(c);
      case 'infer':
        return inferJob(c);
    }
  },
};

const tensor = (data: Float32Array<ArrayBuffer>, shape: number[]): Tensor => np.array(data).reshape(shape);

/** Numbers of the shape given in NHWC, turned to NCHW. */
const image = ([n, h, w, c]: number[], data: Float32Array<ArrayBuffer>): Tensor =>
  tensor(turned(data, [n, h, w, c], [0, 3, 1, 2]), [n, c, h, w]);

/** Numbers of `shape` with their dimensions in another order. */
const turned = (data: Float32Array<ArrayBuffer>, shape: number[], order: number[]) =>
  pack(data, { view: shape, order, padded: order.map((d) => shape[d]) });

const same = (k: number): [number, number][] => [
  [k >> 1, k >> 1],
  [k >> 1, k >> 1],
];

const conv = (x: Tensor, w: Tensor, k: number, stride: number, groups = 1): Tensor =>
  lax.convGeneralDilated(x, w, [stride, stride], same(k), { featureGroupCount: groups });

const settle = (): Promise<undefined> => jax.getWebGPUDevice().queue.onSubmittedWorkDone();

/**
 * Repeats a compiled function. A result that is dropped before it is read is never computed, so all are kept until the
 * wait. The last of the results is looked at, or the last `looked`.
 */
function kernelJob(f: (...args: Tensor[]) => Tensor[], args: Tensor[], looked = 1): Job {
  const compiled = jit(f) as unknown as jax.OwnedFunction<(...args: Tensor[]) => Tensor[]>;
  let pending: Tensor[][] = [];
  let last: Tensor[] = [];
  return {
    run() {
      pending.push(compiled(...args.map((a) => a.ref)));
    },
    async wait() {
      await jax.blockUntilReady(pending);
      await settle();
      tree.dispose(last);
      last = pending.pop() ?? [];
      tree.dispose(pending);
      pending = [];
    },
    async value() {
      const sums: number[] = [];
      for (const result of last.slice(-looked)) sums.push((await np.abs(result.ref).sum().data())[0]);
      return looked === 1 ? sums[0] : sums;
    },
    dispose() {
      tree.dispose([...last, ...args]);
      compiled.dispose();
    },
  };
}

/** The gradients of sum(f(args) * dy) by the arguments `by`. */
const pullback =
  (f: (...args: Tensor[]) => Tensor, by: number[]) =>
  (...args: Tensor[]): Tensor[] => {
    const dy = args.pop()!;
    const scalar = (...xs: Tensor[]) =>
      f(...xs)
        .mul(dy.ref)
        .sum();
    const gradients = grad(scalar, { argnums: by })(...args) as unknown as Tensor[];
    dy.dispose();
    return gradients;
  };

/** The block and its gradients, a pixel's linear layers as 1 x 1 convolutions. */
function convnext({ n, h, c }: Case<'convnext'>): Job {
  const k = CONVNEXT_KERNEL;
  const x = image([n, h, h, c], uniform(n * h * h * c, 1));
  const weights = eachWeight(convnextWeights(c), ({ shape, data }, name) => {
    if (name === 'depthwise') return depthwiseWeight(data, k, c);
    if (shape.length === 1) return tensor(data, shape);
    const [, , from, to] = shape;
    return tensor(turned(data, [from, to], [1, 0]), [to, from, 1, 1]);
  });
  const names = Object.keys(weights) as (keyof typeof weights)[];
  const f = (x: Tensor, ...args: Tensor[]) => {
    const w = Object.fromEntries(names.map((name, i) => [name, args[i]])) as typeof weights;
    const mixed = conv(x.ref, w.depthwise, k, 1, c).add(channels(w.depthwiseBias, c));
    const centered = mixed.sub(mixed.ref.mean([1], { keepdims: true }));
    const variance = np.square(centered.ref).mean([1], { keepdims: true });
    const normed = centered
      .mul(reciprocalRoot(variance, LAYER_NORM_EPS))
      .mul(channels(w.gain, c))
      .add(channels(w.shift, c));
    const hidden = nn.gelu(conv(normed, w.fc1, 1, 1).add(channels(w.bias1, 4 * c)), { approximate: false });
    const y = conv(hidden, w.fc2, 1, 1).add(channels(w.bias2, c));
    return y.mul(channels(w.scale, c)).add(x);
  };
  const both = (...args: Tensor[]): Tensor[] => {
    const dy = args.pop()!;
    const [y, pull] = vjp(f as never, args as never) as unknown as [
      Tensor,
      jax.OwnedFunction<(dy: Tensor) => Tensor[]>,
    ];
    const gradients = pull(dy);
    pull.dispose();
    return [y, ...gradients];
  };
  const dy = image([n, h, h, c], uniform(n * h * h * c, 3));
  return kernelJob(both, [x, ...Object.values(weights), dy], names.length + 2);
}

function depthwise({ pass, n, h, c, k, stride }: Case<'depthwise'>): Job {
  const oh = Math.ceil(h / stride);
  const x = image([n, h, h, c], uniform(n * h * h * c, 1));
  const w = depthwiseWeight(uniform(k * k * c, 2), k, c);
  const f = (x: Tensor, w: Tensor) => conv(x, w, k, stride, c);
  if (pass === 'fwd') return kernelJob((x, w) => [f(x, w)], [x, w]);
  const dy = image([n, oh, oh, c], uniform(n * oh * oh * c, 3));
  return kernelJob(pullback(f as never, [pass === 'bwdx' ? 0 : 1]), [x, w, dy]);
}

/** `[k, k, c]` as `[c, 1, k, k]`. */
const depthwiseWeight = (data: Float32Array<ArrayBuffer>, k: number, c: number): Tensor =>
  tensor(turned(data, [k * k, c], [1, 0]), [c, 1, k, k]);

function pointwise({ pass, n, h, ci, co }: Case<'pointwise'>): Job {
  const x = image([n, h, h, ci], uniform(n * h * h * ci, 1));
  const w = tensor(turned(uniform(ci * co, 2), [ci, co], [1, 0]), [co, ci, 1, 1]);
  const f = (x: Tensor, w: Tensor) => conv(x, w, 1, 1);
  if (pass === 'fwd') return kernelJob((x, w) => [f(x, w)], [x, w]);
  const dy = image([n, h, h, co], uniform(n * h * h * co, 3));
  return kernelJob(pullback(f as never, [0, 1]), [x, w, dy]);
}

/** Batch norm over the batch and the pixels of an NCHW tensor; also the mean and the variance. */
function normalize(x: Tensor, weight: Tensor, bias: Tensor): [Tensor, Tensor, Tensor] {
  const c = weight.shape[0];
  const mean = x.ref.mean([0, 2, 3], { keepdims: true });
  const centered = x.sub(mean.ref);
  const variance = np.square(centered.ref).mean([0, 2, 3], { keepdims: true });
  const scale = reciprocalRoot(variance.ref).mul(channels(weight, c));
  return [centered.mul(scale).add(channels(bias, c)), mean, variance];
}

const reciprocalRoot = (variance: Tensor, eps = NORM_EPS): Tensor =>
  np.reciprocal(np.sqrt(variance.add(eps)));

/** A vector over channels, to be combined with NCHW. */
const channels = (v: Tensor, c: number): Tensor => v.reshape([1, c, 1, 1]);

function norm({ pass, n, h, c }: Case<'norm'>): Job {
  const shape = [n, h, h, c];
  const x = image(shape, uniform(product(shape), 1, 2, 0.5));
  const weight = tensor(uniform(c, 2, 0.5, 1), [c]);
  const bias = tensor(uniform(c, 3), [c]);
  const f = (weight: Tensor, bias: Tensor, x: Tensor) => {
    const [y, mean, variance] = normalize(x, weight, bias);
    tree.dispose([mean, variance]);
    return y;
  };
  if (pass === 'fwd') return kernelJob((w, b, x) => [f(w, b, x)], [weight, bias, x]);
  const dy = image(shape, uniform(product(shape), 4));
  return kernelJob(pullback(f as never, [0, 1, 2]), [weight, bias, x, dy]);
}

/** W_b + conv2d(W_b as an image of c planes, W_r). */
const refocused = (basis: Tensor, map: Tensor): Tensor => basis.ref.add(conv(basis, map, 3, 1));

function refocus({ pass, c, k }: Case<'refocus'>): Job {
  const planes = (seed: number) => tensor(turned(uniform(k * k * c, seed), [k * k, c], [1, 0]), [1, c, k, k]);
  const basis = planes(1);
  const map = tensor(uniform(c * c * 9, 2), [c, c, 3, 3]);
  if (pass === 'fwd') return kernelJob((b, m) => [refocused(b, m)], [basis, map]);
  return kernelJob(pullback(refocused as never, [1]), [basis, map, planes(3)]);
}

interface Parameters {
  layers: Record<string, Tensor>[];
  weight: Tensor;
  bias: Tensor;
}

/** Everything that a network has on the device; the frozen bases of RefConvs apart. */
function network(name: BenchNetwork, batch: number, refconv: boolean) {
  const layers = benchLayers(name);
  const weights = benchWeights(layers);
  const isRefConv = (l: BenchLayer) => refconv && l.kind === 'depthwise';
  const params: Parameters = {
    layers: layers.map((l, i) => {
      const { weight, shape, map } = weights.layers[i];
      const kernel: Record<string, Tensor> = isRefConv(l)
        ? { map: tensor(map!, [l.co, l.co, 3, 3]) }
        : { weight: tensor(weight, shape) };
      return { ...kernel, gamma: np.ones([l.co]), beta: np.zeros([l.co]) };
    }),
    weight: tensor(weights.classifier, [CLASSES, featuresOf(layers)]),
    bias: np.zeros([CLASSES]),
  };
  const bases = layers.map((l, i) =>
    isRefConv(l) ? tensor(weights.layers[i].weight, [1, l.co, l.k, l.k]) : np.zeros([1]),
  );
  const statistics = layers.map((l) => ({ mean: np.zeros([l.co]), variance: np.ones([l.co]) }));
  const images = image([batch, IMAGE_SIZE, IMAGE_SIZE, 3], benchImages(batch, IMAGE_SIZE));
  return { layers, params, bases, statistics, images };
}

function convolve(x: Tensor, l: BenchLayer, p: Parameters['layers'][number], basis?: Tensor): Tensor {
  const groups = l.kind === 'depthwise' ? l.co : 1;
  if (!p.map) {
    basis?.dispose();
    return conv(x, p.weight, l.k, l.stride, groups);
  }
  const weight = refocused(basis!, p.map).reshape([l.co, 1, l.k, l.k]);
  return conv(x, weight, l.k, l.stride, groups);
}

/** Logits, each layer by `layer`. */
function forward(
  layers: BenchLayer[],
  head: { weight: Tensor; bias: Tensor },
  x: Tensor,
  layer: (x: Tensor, l: BenchLayer, i: number) => Tensor,
): Tensor {
  let y = x;
  let saved: Tensor | undefined;
  layers.forEach((l, i) => {
    if (l.save) saved = y.ref;
    y = layer(y, l, i);
    if (l.add) y = y.add(shortcut(saved!, l.co));
    if (l.act) y = nn[l.act](y);
  });
  return np.dot(y.mean([2, 3]), head.weight.transpose()).add(head.bias);
}

/** Every second pixel under channels of zeros, where there are to be more than x has. */
function shortcut(x: Tensor, co: number): Tensor {
  const [n, ci, h, w] = x.shape;
  if (ci === co) return x;
  const pixels = x.reshape([n, ci, h / 2, 2, w / 2, 2]).slice([], [], [], 0, [], 0);
  const around = (co - ci) / 2;
  return np.pad(pixels, [
    [0, 0],
    [around, around],
    [0, 0],
    [0, 0],
  ]);
}

type Statistics = { mean: Tensor; variance: Tensor }[];

/** The loss and the batch's statistics. */
function lossOf(
  layers: BenchLayer[],
  params: Parameters,
  bases: Tensor[],
  images: Tensor,
  target: Tensor,
): [Tensor, Statistics] {
  const fresh: Statistics = [];
  const batch = target.shape[0];
  const logits = forward(layers, params, images, (x, l, i) => {
    const p = params.layers[i];
    const [y, mean, variance] = normalize(convolve(x, l, p, bases[i]), p.gamma, p.beta);
    fresh.push({ mean: mean.reshape([l.co]), variance: variance.reshape([l.co]) });
    return y;
  });
  return [
    nn
      .logSoftmax(logits)
      .mul(target)
      .sum()
      .mul(-1 / batch),
    fresh,
  ];
}

function trainJob({ network: name, batch, refconv }: Case<'train'>): Job {
  const { layers, params: start, bases, statistics: first, images } = network(name, batch, refconv);
  const target = tensor(oneHot(benchLabels(batch), CLASSES), [batch, CLASSES]);
  const step = jit(((
    params: Parameters,
    velocity: Parameters,
    running: Statistics,
    ...fixed: [Tensor[], Tensor, Tensor]
  ) => {
    const loss = (p: Parameters, bases: Tensor[], x: Tensor, y: Tensor) => lossOf(layers, p, bases, x, y);
    const withGradient = valueAndGrad(loss as never, { hasAux: true }) as unknown as (
      ...args: unknown[]
    ) => [[Tensor, Statistics], Parameters];
    const [[value, fresh], gradient] = withGradient(tree.ref(params as never), ...fixed);
    const moved = map2(velocity, gradient, (v, g) => v.mul(MOMENTUM).add(g));
    const next = map2(params, tree.ref(moved as never) as Parameters, (p, v) => p.sub(v.mul(LEARNING_RATE)));
    const blended = running.map(({ mean, variance }, i) => {
      const { h, stride } = layers[i];
      const count = batch * Math.ceil(h / stride) ** 2;
      return {
        mean: blend(mean, fresh[i].mean, 1),
        variance: blend(variance, fresh[i].variance, count / (count - 1)),
      };
    });
    return [next, moved, blended, value];
  }) as never) as unknown as jax.OwnedFunction<
    (...args: unknown[]) => [Parameters, Parameters, Statistics, Tensor]
  >;
  let state: [Parameters, Parameters, Statistics] = [
    start,
    tree.map((p: Tensor) => np.zerosLike(p.ref), start as never) as unknown as Parameters,
    first,
  ];
  const losses: number[] = [];
  let loss: Tensor | undefined;
  return {
    run() {
      const [params, velocity, running, value] = step(...state, tree.ref(bases), images.ref, target.ref);
      state = [params, velocity, running];
      loss = value;
    },
    async wait() {
      losses.push(round((await loss!.data())[0]));
      await settle();
    },
    value: async () => losses.slice(0, 4),
    dispose() {
      tree.dispose([...tree.leaves(state as never), ...bases, images, target] as Tensor[]);
      step.dispose();
    },
  };
}

/** Combines two trees of one structure leaf by leaf. */
const map2 = (a: Parameters, b: Parameters, f: (x: Tensor, y: Tensor) => Tensor): Parameters =>
  tree.map(f as never, a as never, b as never) as unknown as Parameters;

const blend = (running: Tensor, fresh: Tensor, factor: number): Tensor =>
  running.mul(1 - NORM_MOMENTUM).add(fresh.mul(NORM_MOMENTUM * factor));

function inferJob({ batch, folded }: Case<'infer'>): Job {
  const { layers, params, statistics, images } = network('mobilenet_v2', batch, false);
  const constants = folded
    ? params.layers.map(({ weight, gamma, beta }, i) => {
        const { mean, variance } = statistics[i];
        const scale = gamma.mul(reciprocalRoot(variance));
        const bias = beta.sub(mean.mul(scale.ref));
        return { weight: weight.mul(scale.reshape([layers[i].co, 1, 1, 1])), bias };
      })
    : params.layers.map((p, i) => ({ ...p, ...statistics[i] }));
  const f = jit(((p: { [name: string]: Tensor }[], head: { weight: Tensor; bias: Tensor }, x: Tensor) =>
    forward(layers, head, x, (y, l, i) => {
      const { weight, bias, gamma, beta, mean, variance } = p[i];
      const z = convolve(y, l, { weight });
      if (folded) return z.add(channels(bias, l.co));
      const scale = gamma.mul(reciprocalRoot(variance));
      const shift = beta.sub(mean.mul(scale.ref));
      return z.mul(channels(scale, l.co)).add(channels(shift, l.co));
    })) as never) as unknown as jax.OwnedFunction<(...args: unknown[]) => Tensor>;
  const head = { weight: params.weight, bias: params.bias };
  let last: Tensor | undefined;
  let logits: ArrayLike<number> = [];
  return {
    run() {
      last?.dispose();
      last = f(tree.ref(constants as never), tree.ref(head), images.ref);
    },
    async wait() {
      logits = await last!.ref.data();
    },
    value: async () => Array.from(logits).slice(0, 4).map(round),
    dispose: () => f.dispose(),
  };
}
