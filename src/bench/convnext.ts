/** The numbers of the benchmark's ConvNeXt block: x + scale * fc2(gelu(fc1(norm(depthwise 7 x 7 of x)))). */
import { product } from '../graph/tensor';
import { uniform } from './numbers';

export const CONVNEXT_KERNEL = 7;
export const LAYER_NORM_EPS = 1e-6;

/** Numbers of `shape`, in the engine's order: weights HWIO, vectors over channels. */
export interface BenchTensor {
  shape: number[];
  data: Float32Array<ArrayBuffer>;
}

/** What the block is differentiated by besides x, in this order. */
export function convnextWeights(c: number) {
  const k = CONVNEXT_KERNEL;
  let seed = 3;
  const tensor = (shape: number[], scale = 1, offset = 0): BenchTensor => ({
    shape,
    data: uniform(product(shape), seed++, scale, offset),
  });
  return {
    depthwise: tensor([k, k, 1, c], 1 / k),
    depthwiseBias: tensor([c]),
    gain: tensor([c], 0.5, 1),
    shift: tensor([c]),
    fc1: tensor([1, 1, c, 4 * c], c ** -0.5),
    bias1: tensor([4 * c]),
    fc2: tensor([1, 1, 4 * c, c], (4 * c) ** -0.5),
    bias2: tensor([c]),
    scale: tensor([c], 0.5, 1),
  };
}

type Weights<T> = Record<keyof ReturnType<typeof convnextWeights>, T>;

/** The weights as a library has them, in the same order. */
export const eachWeight = <T>(
  weights: Weights<BenchTensor>,
  make: (tensor: BenchTensor, name: string) => T,
): Weights<T> =>
  Object.fromEntries(Object.entries(weights).map(([name, t]) => [name, make(t, name)])) as Weights<T>;
