/**
 * How a tensor of an ONNX graph shows a value of ours, which is images of pixels of channels and nothing else: each of its
 * dimensions is a product of factors of these axes. Reshape and Transpose only regroup factors, so that layouts (NCHW, NHWC,
 * flattened) and channel shuffles come out whatever operators an exporter wrote for them.
 */
import { product } from '../../graph/tensor';

export type Axis = 'n' | 'c' | 'h' | 'w';

/** An index that counts `size` steps of `stride` along an axis. */
export interface Factor {
  axis: Axis;
  size: number;
  stride: number;
}

/** The factors of each dimension, the outer ones first; a dimension of one has none. */
export type View = readonly (readonly Factor[])[];

const whole = (axis: Axis, size: number): Factor[] => (size === 1 ? [] : [{ axis, size, stride: 1 }]);

export interface Extents {
  n: number;
  c: number;
  h: number;
  w: number;
}

/** The view of a tensor with those axes as its dimensions. */
export const viewOf = (axes: readonly Axis[], extents: Extents): View =>
  axes.map((axis) => whole(axis, extents[axis]));

export const shapeOf = (view: View): number[] =>
  view.map((factors) => product(factors.map(({ size }) => size)));

export const transposed = (view: View, order: readonly number[]): View => order.map((d) => view[d]);

/** The view in another shape of as many elements; undefined where a dimension would cut through a factor. */
export function reshaped(view: View, shape: readonly number[]): View | undefined {
  const rest = view.flat();
  if (product(shape) !== product(shapeOf(view))) return undefined;
  const dims: Factor[][] = [];
  for (const extent of shape) {
    const dim: Factor[] = [];
    let left = extent;
    while (left > 1) {
      const factor = rest.shift()!;
      if (left % factor.size === 0) {
        dim.push(factor);
        left /= factor.size;
        continue;
      }
      if (factor.size % left !== 0) return undefined;
      const inner = factor.size / left;
      dim.push({ ...factor, size: left, stride: factor.stride * inner });
      rest.unshift({ ...factor, size: inner });
      left = 1;
    }
    dims.push(joined(dim));
  }
  return dims;
}

/** Neighbours that count on through each other as one. */
function joined(factors: readonly Factor[]): Factor[] {
  const out: Factor[] = [];
  for (const factor of factors) {
    const last = out.at(-1);
    if (last && last.axis === factor.axis && last.stride === factor.stride * factor.size)
      out[out.length - 1] = { ...factor, size: last.size * factor.size };
    else out.push(factor);
  }
  return out;
}

/** Whether a dimension is all of an axis, in order, and nothing else. */
export const isWhole = (factors: readonly Factor[], axis: Axis, size: number): boolean =>
  size === 1
    ? factors.length === 0
    : factors.length === 1 && factors[0].axis === axis && factors[0].size === size && factors[0].stride === 1;

/** Whether the view's dimensions are those axes. */
export const shows = (view: View, axes: readonly Axis[], extents: Extents): boolean =>
  view.length === axes.length && axes.every((axis, d) => isWhole(view[d], axis, extents[axis]));

/** Whether rows or columns are cut into pieces. */
export const isCut = (view: View, { h, w }: Extents): boolean =>
  view.flat().some(({ axis, size }) => (axis === 'h' && size !== h) || (axis === 'w' && size !== w));

/** The dimension that has factors of an axis; undefined where none or several have. */
export function dimensionOf(view: View, axis: Axis): number | undefined {
  const dims = [...view.keys()].filter((d) => view[d].some((factor) => factor.axis === axis));
  return dims.length === 1 ? dims[0] : undefined;
}

/**
 * The groups of the channel shuffle that a dimension shows, and the dimension once it is done; undefined where it is none.
 * Channels of `groups` groups lie crosswise: within a step of a group all groups.
 */
export function shuffleIn(factors: readonly Factor[], channels: number): number | undefined {
  if (factors.length !== 2) return undefined;
  const [outer, inner] = factors;
  const isShuffle =
    outer.axis === 'c' &&
    inner.axis === 'c' &&
    outer.stride === 1 &&
    inner.stride === outer.size &&
    outer.size * inner.size === channels;
  return isShuffle ? inner.size : undefined;
}
