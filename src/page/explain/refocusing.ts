/** One step of RefConv on one kernel, number by number: what the animation shows. */
import { eachShift, gramOf, type RefocusGeometry } from '../../model/refocus-math';

/** T taps a kernel, k * k taps a map, P kernels that the map reads. */
export interface Refocusing {
  /** the kernel's weights in W_b, T */
  basis: Float64Array;
  /** which way the loss would have them move, -lr * dW_t, T */
  wish: Float64Array;
  /** the map's step that the wish makes, `wish * B^T`: P planes of k * k */
  map: Float64Array;
  /** what each of the P kernels adds by its map plane, P planes of T */
  terms: Float64Array;
  /** their sum, T: what is added to the basis */
  change: Float64Array;
  /** B^T B of those kernels, T x T */
  gram: Float64Array;
  /** `wish * gram`, T: the same change without any map */
  short: Float64Array;
}

/** The largest change, as a share of the kernel's largest weight: so that it is seen. */
const SEEN = 0.6;

/** Kernels that one map reads: P planes of `height * width` taps. */
export interface MapGroup {
  weights: ArrayLike<number>;
  planes: number;
  height: number;
  width: number;
  /** k, odd */
  mapKernel: number;
}

/**
 * A step of SGD from a map of zeros, for a wish that one tap of one kernel were larger.
 * @param own which of the group's kernels is refocused
 * @param tap which of its taps the loss would have larger
 */
export function refocusOne(group: MapGroup, own: number, tap: number): Refocusing {
  const { weights, planes: P, mapKernel } = group;
  const geometry: RefocusGeometry = { basis: [P, 1, group.height, group.width], groups: P, mapKernel };
  const T = group.height * group.width;
  const kk = mapKernel ** 2;
  const basis = Float64Array.from({ length: T }, (_, t) => weights[own * T + t]);
  const gram = gramOf(weights, geometry);
  const row = gram.subarray(tap * T, (tap + 1) * T);
  const size = (largest(basis) * SEEN || 1) / (largest(row) || 1);
  const wish = new Float64Array(T);
  wish[tap] = size;
  const map = new Float64Array(P * kk);
  const terms = new Float64Array(P * T);
  eachShift(geometry, (t, s, j) => {
    for (let m = 0; m < P; m++) map[m * kk + j] += wish[t] * weights[m * T + s];
  });
  eachShift(geometry, (t, s, j) => {
    for (let m = 0; m < P; m++) terms[m * T + t] += weights[m * T + s] * map[m * kk + j];
  });
  return { basis, wish, map, terms, change: sumOfTerms(terms, T, P), gram, short: row.map((v) => v * size) };
}

/** The sum of the first `count` kernels' terms, T numbers. */
export function sumOfTerms(terms: Float64Array, taps: number, count: number): Float64Array {
  const out = new Float64Array(taps);
  for (let m = 0; m < count; m++) for (let t = 0; t < taps; t++) out[t] += terms[m * taps + t];
  return out;
}

export const largest = (values: ArrayLike<number>): number => {
  let max = 0;
  for (let i = 0; i < values.length; i++) max = Math.max(max, Math.abs(values[i]));
  return max;
};
