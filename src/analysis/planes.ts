/** A convolution's kernels as planes: one KH x KW picture a pair of output and input channel. */
import { UserError } from '../errors';

/** A weight as a matrix of planes, a row each, in PyTorch's order: plane n = o * I + i. */
export interface Planes {
  /** planes x taps */
  weight: ArrayLike<number>;
  planes: number;
  taps: number;
}

/**
 * @param weight OIHW, O * I * KH * KW numbers
 * @throws UserError where shape and weight do not fit
 */
export function planesOf(name: string, weight: ArrayLike<number>, shape: readonly number[]): Planes {
  const planes = shape[0] * shape[1];
  const taps = shape[2] * shape[3];
  if (shape.length !== 4 || !(planes * taps > 0) || weight.length !== planes * taps) {
    throw new UserError(
      `${name} has shape [${shape.join(', ')}] and ${weight.length} numbers; a convolution's weight is [O, I, KH, KW].`,
    );
  }
  return { weight, planes, taps };
}

/** log(softmax) of the `out.length` weights from `offset`. */
export function logSoftmax(weight: ArrayLike<number>, offset: number, out: Float64Array): void {
  let max = -Infinity;
  for (let t = 0; t < out.length; t++) max = Math.max(max, weight[offset + t]);
  let sum = 0;
  for (let t = 0; t < out.length; t++) sum += Math.exp(weight[offset + t] - max);
  const logSum = max + Math.log(sum);
  for (let t = 0; t < out.length; t++) out[t] = weight[offset + t] - logSum;
}

/** One over the norm of a plane; 0 for a plane of zeros, whose cosine with any other is 0 then, as PyTorch has it. */
export function inverseNorm({ weight, taps }: Planes, plane: number): number {
  let sum = 0;
  for (let at = plane * taps; at < (plane + 1) * taps; at++) sum += weight[at] * weight[at];
  return sum > 0 ? 1 / Math.sqrt(sum) : 0;
}
