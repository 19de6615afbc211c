/** One layer before and now: its pairs, their order and the scales that they are drawn in. */
import { clusterOrder, cosines, divergences } from '../../analysis/pairs';
import type { LayerRedundancy } from '../../api';
import { around0, largeSize, roundUp, type Scale, upTo } from './colours';

/** What a pair of kernels is compared by. */
export type Measure = 'divergence' | 'cosine';

export const measureNames: Record<Measure, string> = { divergence: 'KL divergence', cosine: 'cosine' };

const known: Record<Measure, WeakMap<LayerRedundancy, Float32Array>> = {
  divergence: new WeakMap(),
  cosine: new WeakMap(),
};

export const tapsOf = ({ shape }: LayerRedundancy): number => shape[2] * shape[3];

/** All pairs of a layer's drawn kernels, n x n; computed once a layer. */
export function pairsOf(layer: LayerRedundancy, measure: Measure): Float32Array {
  let pairs = known[measure].get(layer);
  if (!pairs) {
    pairs = (measure === 'cosine' ? cosines : divergences)(layer.kernels, tapsOf(layer));
    known[measure].set(layer, pairs);
  }
  return pairs;
}

const orders = new WeakMap<LayerRedundancy, Uint32Array>();

/** Alike kernels side by side, by the divergences of this layer. */
export function clustersOf(layer: LayerRedundancy): Uint32Array {
  let order = orders.get(layer);
  if (!order) {
    order = clusterOrder(pairsOf(layer, 'divergence'), layer.drawn.length);
    orders.set(layer, order);
  }
  return order;
}

/** Of the mean divergence: what sums in another order differ by at most. */
const ROUNDING = 1e-3;

/** Whether two lists of layers are of one network; by names and shapes alone where one has random weights. */
export const isSameNetwork = (
  one: readonly LayerRedundancy[],
  other: readonly LayerRedundancy[],
  isAtRandom: boolean,
): boolean =>
  one.length === other.length &&
  one.every(({ name, shape, divergence }, i) => {
    const { name: otherName, shape: otherShape, divergence: otherDivergence } = other[i];
    const difference = Math.abs(divergence - otherDivergence);
    return (
      name === otherName &&
      shape.join() === otherShape.join() &&
      // figures of a layer with one kernel are NaN
      (isAtRandom || !(difference > ROUNDING * Math.abs(divergence)))
    );
  });

/** A picture of the three: a matrix and its colours. */
export interface Picture {
  which: 'before' | 'now' | 'difference';
  pairs: Float32Array;
  scale: Scale;
}

export interface Comparison {
  before: LayerRedundancy;
  now?: LayerRedundancy;
  measure: Measure;
  /** of rows and columns, the same in all pictures: which of the drawn kernels stands where */
  order: Uint32Array;
  /** `before` alone as long as nothing was trained */
  pictures: Picture[];
}

/** The narrowest scale of a difference, as a part of that of what is compared. */
const LEAST_DIFFERENCE = 0.01;

/**
 * What is drawn of a layer. The scale of divergences is fixed by those before: what training does shows as other colours, never
 * as another scale. That of the difference grows in steps, from so large a one that what is next to nothing looks so.
 */
export function compare(
  before: LayerRedundancy,
  now: LayerRedundancy | undefined,
  { measure, isClustered }: { measure: Measure; isClustered: boolean },
): Comparison {
  const order = isClustered
    ? clustersOf(before)
    : Uint32Array.from({ length: before.drawn.length }, (_, i) => i);
  const was = pairsOf(before, measure);
  const scale = measure === 'cosine' ? around0(1) : upTo(largeSize(was));
  const pictures: Picture[] = [{ which: 'before', pairs: was, scale }];
  if (now) {
    const is = pairsOf(now, measure);
    const difference = is.map((value, i) => value - was[i]);
    const top = difference.some((value) => value !== 0) ? roundUp(largeSize(difference)) : 1;
    const least = LEAST_DIFFERENCE * (scale.to - scale.from);
    pictures.push({ which: 'now', pairs: is, scale });
    pictures.push({ which: 'difference', pairs: difference, scale: around0(Math.max(top, least)) });
  }
  return { before, now, measure, order, pictures };
}

/** The layer with fewer kernels, evenly chosen, for a small picture. */
export function thinned(layer: LayerRedundancy, most: number): LayerRedundancy {
  const n = layer.drawn.length;
  if (n <= most) return layer;
  const taps = tapsOf(layer);
  const rows = Array.from({ length: most }, (_, i) => Math.floor((i * n) / most));
  const kernels = new Float32Array(most * taps);
  for (const [i, row] of rows.entries())
    kernels.set(layer.kernels.subarray(row * taps, (row + 1) * taps), i * taps);
  return { ...layer, drawn: Uint32Array.from(rows, (row) => layer.drawn[row]), kernels };
}

/** A kernel by its channels: of a depthwise layer by its one. */
export function planeName({ shape: [, inputs] }: Pick<LayerRedundancy, 'shape'>, plane: number): string {
  if (inputs === 1) return `channel ${plane}`;
  return `output ${Math.floor(plane / inputs)} input ${plane % inputs}`;
}

/** The pair of different kernels that says most nearly the same, by rows of the drawn kernels. */
export function nearestPair(layer: LayerRedundancy): [number, number] {
  const pairs = pairsOf(layer, 'divergence');
  const n = layer.drawn.length;
  let best: [number, number] = [0, Math.min(1, n - 1)];
  let least = Infinity;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      if (i === j || !(pairs[i * n + j] < least)) continue;
      least = pairs[i * n + j];
      best = [i, j];
    }
  return best;
}

/** A matrix as a table: a row and a column a drawn kernel, in the order of the picture. */
export function matrixCsv({ pairs }: Pick<Picture, 'pairs'>, { before, order }: Comparison): string {
  const n = order.length;
  const names = Array.from(order, (row) => planeName(before, before.drawn[row]));
  const lines = Array.from(order, (row, i) => {
    const numbers = Array.from(order, (column) => Number(pairs[row * n + column].toPrecision(6)));
    return `${names[i]},${numbers.join(',')}\r\n`;
  });
  return `kernel,${names.join(',')}\r\n${lines.join('')}`;
}
