/** Constants of an ONNX graph while it is read. */
import { product } from '../../graph/tensor';
import type { OnnxTensor } from '../../io/onnx/graph';

/** Where a constant's numbers stand in the file: transpose(reshape(tensor, view), order), then in the constant's own shape. */
export interface Origin {
  /** the initializer's name, or that of the output of a Constant */
  tensor: string;
  view: readonly number[];
  order: readonly number[];
}

export interface Constant {
  kind: 'constant';
  shape: readonly number[];
  /** row-major; integers as numbers */
  data: ArrayLike<number>;
  isFloat: boolean;
  /** absent: computed of others */
  origin?: Origin;
}

const inOrder = (shape: readonly number[]): number[] => shape.map((_, d) => d);

export function constantOf(tensor: string, { shape, data }: OnnxTensor): Constant {
  const isFloat = data instanceof Float32Array;
  const numbers =
    data instanceof BigInt64Array || data instanceof BigUint64Array ? Array.from(data, Number) : data;
  return {
    kind: 'constant',
    shape,
    data: numbers,
    isFloat,
    origin: { tensor, view: shape, order: inOrder(shape) },
  };
}

/** A constant that the importer computes. */
export const numbers = (shape: readonly number[], data: ArrayLike<number>, isFloat = true): Constant => ({
  kind: 'constant',
  shape,
  data,
  isFloat,
});

export const scalar = (value: number, isFloat = true): Constant => numbers([], [value], isFloat);

/** The number of a constant that holds one, or the same everywhere where it is short. */
export function scalarOf({ data }: Constant): number | undefined {
  if (data.length === 1) return data[0];
  return undefined;
}

export const reshapedConstant = (constant: Constant, shape: readonly number[]): Constant => ({
  ...constant,
  shape,
});

export function transposedConstant(
  { shape, data, isFloat, origin }: Constant,
  order: readonly number[],
): Constant {
  const out = shape.length > 1 ? transpose(data, shape, order) : data;
  const isPlain = origin?.order.every((d, i) => d === i);
  return {
    kind: 'constant',
    shape: order.map((d) => shape[d]),
    data: out,
    isFloat,
    origin: origin && isPlain ? { tensor: origin.tensor, view: shape, order } : undefined,
  };
}

/** Row-major numbers with their dimensions in another order. */
export function transpose(
  data: ArrayLike<number>,
  shape: readonly number[],
  order: readonly number[],
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(product(shape));
  if (shape.length === 0) out[0] = data[0];
  if (shape.length === 0) return out;
  const strides = shape.map((_, d) => product(shape.slice(d + 1)));
  let at = 0;
  const level = (j: number, from: number): void => {
    const [size, stride] = [shape[order[j]], strides[order[j]]];
    for (let i = 0; i < size; i++) {
      if (j === order.length - 1) out[at++] = data[from + i * stride];
      else level(j + 1, from + i * stride);
    }
  };
  level(0, 0);
  return out;
}

/** The order that takes a transposition back. */
export const inverse = (order: readonly number[]): number[] => order.map((_, d) => order.indexOf(d));
