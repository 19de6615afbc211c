import { padLast, padWeight, product, type Shape } from '../graph/tensor';

/**
 * How a tensor of PyTorch's shape lies in the engine's memory: dimension j of the engine is dimension `order[j]` of
 * `view` (PyTorch's shape, reshaped), padded to `padded`.
 */
export interface Layout {
  view: Shape;
  order: readonly number[];
  padded: Shape;
}

/** The engine's logical shape. */
export const engineShape = ({ view, order }: Layout): Shape => order.map((d) => view[d]);

/** `[n, c, h, w]` or `[n, c]` to NHWC. */
export function activationLayout(shape: Shape): Layout {
  const view = shape.length === 2 ? [...shape, 1, 1] : shape;
  const order = [0, 2, 3, 1];
  return { view, order, padded: padLast(order.map((d) => view[d])) };
}

/** OIHW, or a linear layer's `[out, in]`, to HWIO. */
export function weightLayout(shape: Shape, groups = 1): Layout {
  const view = shape.length === 2 ? [...shape, 1, 1] : shape;
  const order = [2, 3, 1, 0];
  return {
    view,
    order,
    padded: padWeight(
      order.map((d) => view[d]),
      groups === 1,
    ),
  };
}

/** `[c]`. Anything of more dimensions is flattened (layer scale is `[c, 1, 1]`). */
export function vectorLayout(shape: Shape): Layout {
  const view = [product(shape)];
  return { view, order: [0], padded: padLast(view) };
}

/** A tensor that lies as PyTorch's does, but for the padding of its last dimension. */
export function plainLayout(shape: Shape): Layout {
  return { view: shape, order: shape.map((_, d) => d), padded: padLast(shape) };
}

/**
 * A refocusing map `[N, P, k, k]` over the N = O * I/g planes of an OIHW basis to `[k, k, P, I/g, O]`, the last two
 * padded as the basis pads them: plane n of the map stands where plane n of the basis does.
 */
export function mapLayout(map: Shape, basis: Shape, groups: number): Layout {
  const [o, i] = basis;
  const view = [o, i, map[1], map[2], map[3]];
  const [, , ip, op] = weightLayout(basis, groups).padded;
  return { view, order: [3, 4, 2, 1, 0], padded: [map[2], map[3], map[1], ip, op] };
}

/** PyTorch's numbers in the engine's layout; padding is zero. */
export function pack(data: ArrayLike<number>, layout: Layout): Float32Array<ArrayBuffer> {
  const out = new Float32Array(product(layout.padded));
  walk(layout, (source, target) => {
    out[target] = data[source];
  });
  return out;
}

/** The engine's numbers in PyTorch's layout. */
export function unpack(data: ArrayLike<number>, layout: Layout): Float32Array<ArrayBuffer> {
  const out = new Float32Array(product(layout.view));
  walk(layout, (source, target) => {
    out[source] = data[target];
  });
  return out;
}

/** Visits every element with its offsets in PyTorch's order and in the engine's. */
function walk({ view, order, padded }: Layout, visit: (source: number, target: number) => void): void {
  const strides = view.map((_, d) => product(view.slice(d + 1)));
  const level = (j: number, source: number, target: number): void => {
    const size = view[order[j]];
    const stride = strides[order[j]];
    const last = j === order.length - 1;
    for (let i = 0; i < size; i++) {
      const t = target * padded[j] + i;
      if (last) visit(source + i * stride, t);
      else level(j + 1, source + i * stride, t);
    }
  };
  level(0, 0, 0);
}
