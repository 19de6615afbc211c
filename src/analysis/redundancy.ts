/** What kernels of a layer say twice, and where their weight lies; as the RefConv paper looks at both. */
import { UserError } from '../errors';

/** Redundancy of one spatial convolution. */
export interface LayerRedundancy {
  name: string;
  /** kernels of the layer, a plane each: O * I */
  planes: number;
  /** of `planes` those that `divergence` compares, evenly spaced (see `planeOf`) */
  kernels: number;
  /** input channels of a plane's group: 1 for depthwise */
  inputs: number;
  kernelSize: [number, number];
  /** mean of D over all pairs of different planes, nats */
  mean: number;
  /** kernels x kernels, row-major: D(i, j) = sum P_i log(P_i / P_j) */
  divergence: Float32Array;
}

/** The plane, in PyTorch's order, that row i of `divergence` is of. */
export const planeOf = (
  { planes, kernels }: Pick<LayerRedundancy, 'planes' | 'kernels'>,
  i: number,
): number => Math.floor((i * planes) / kernels);

/** Most kernels of a depthwise layer that are compared: all channels of the networks we train. */
export const MAX_DEPTHWISE_KERNELS = 1024;
/** Most kernels of any other layer: its O * I planes are too many to compare each with each. */
export const MAX_DENSE_KERNELS = 256;

/**
 * Kullback-Leibler divergence between the kernels of one convolution. A kernel is one KH x KW plane; its weights are
 * normalised by softmax, P_i, and D(i, j) = sum P_i log(P_i / P_j), in nats. The mean is over all pairs; of layers with
 * more planes than the limits above, that many are compared one by one, evenly spaced in PyTorch's order.
 * @param weight OIHW, O * I * KH * KW numbers
 * @param shape `[O, I, KH, KW]`, I = 1 for depthwise
 * @throws UserError where shape and weight do not fit
 */
export function redundancyOf(name: string, weight: Float32Array, shape: readonly number[]): LayerRedundancy {
  const { planes, taps } = planesOf(name, weight, shape);
  const limit = shape[1] === 1 ? MAX_DEPTHWISE_KERNELS : MAX_DENSE_KERNELS;
  const kernels = Math.min(planes, limit);
  const logP = new Float64Array(planes * taps);
  for (let i = 0; i < planes; i++) logSoftmax(weight, i * taps, logP.subarray(i * taps, (i + 1) * taps));
  const p = logP.map(Math.exp);
  const divergence = new Float32Array(kernels * kernels);
  for (let i = 0; i < kernels; i++) {
    for (let j = 0; j < kernels; j++) {
      if (i === j) continue;
      const [a, b] = [planeOf({ planes, kernels }, i) * taps, planeOf({ planes, kernels }, j) * taps];
      let d = 0;
      for (let t = 0; t < taps; t++) d += p[a + t] * (logP[a + t] - logP[b + t]);
      divergence[i * kernels + j] = d;
    }
  }
  const [, inputs, height, width] = shape;
  const mean = meanDivergence(p, logP, { planes, taps });
  return { name, planes, kernels, inputs, kernelSize: [height, width], mean, divergence };
}

/**
 * The mean of D over all pairs, in one pass: sum over i, j of D(i, j) is
 * n * sum P_i log P_i - (sum P_i) * (sum log P_j), tap by tap, and D(i, i) is 0.
 */
function meanDivergence(
  p: Float64Array,
  logP: Float64Array,
  { planes, taps }: { planes: number; taps: number },
): number {
  if (planes < 2) return 0;
  let sum = 0;
  for (let t = 0; t < taps; t++) {
    let [own, sumP, sumLog] = [0, 0, 0];
    for (let i = t; i < planes * taps; i += taps) {
      own += p[i] * logP[i];
      sumP += p[i];
      sumLog += logP[i];
    }
    sum += planes * own - sumP * sumLog;
  }
  // what is equal leaves a rounding error on either side of 0
  return Math.max(0, sum) / (planes * (planes - 1));
}

/**
 * The spatial skeleton of a convolution: mean |W| a tap over all planes, KH x KW row-major.
 * @throws UserError where shape and weight do not fit
 */
export function kernelSkeleton(name: string, weight: Float32Array, shape: readonly number[]): Float64Array {
  const { planes, taps } = planesOf(name, weight, shape);
  const skeleton = new Float64Array(taps);
  for (let i = 0; i < weight.length; i++) skeleton[i % taps] += Math.abs(weight[i]) / planes;
  return skeleton;
}

function planesOf(name: string, weight: Float32Array, shape: readonly number[]) {
  const planes = shape[0] * shape[1];
  const taps = shape[2] * shape[3];
  if (shape.length !== 4 || !(planes * taps > 0) || weight.length !== planes * taps) {
    throw new UserError(
      `${name} has shape [${shape.join(', ')}] and ${weight.length} numbers; a convolution's weight is [O, I, KH, KW].`,
    );
  }
  return { planes, taps };
}

/** log(softmax) of `out.length` weights from `offset`. */
function logSoftmax(weight: Float32Array, offset: number, out: Float64Array): void {
  let max = -Infinity;
  for (let t = 0; t < out.length; t++) max = Math.max(max, weight[offset + t]);
  let sum = 0;
  for (let t = 0; t < out.length; t++) sum += Math.exp(weight[offset + t] - max);
  const logSum = max + Math.log(sum);
  for (let t = 0; t < out.length; t++) out[t] = weight[offset + t] - logSum;
}
