import { product } from '../graph/tensor';
import { mapShape, planesOf, type RefocusGeometry, shiftsOf } from './refocus-math';

/**
 * W_r = a * W_r0 + M B^T, the map that the factored form stands for. With a = 0, or no start, M B^T alone: applied to
 * a gradient dW_t in the place of M it is the map's gradient. Summed in float64, and written to `map`.
 */
export function expandMap<Numbers extends Float32Array | Float64Array = Float64Array>(
  m: ArrayLike<number>,
  basis: ArrayLike<number>,
  geometry: RefocusGeometry,
  start?: ArrayLike<number>,
  a = 1,
  map = new Float64Array(product(mapShape(geometry))) as Numbers,
): Numbers {
  const { planes, perGroup: P, taps: T } = planesOf(geometry);
  const kk = geometry.mapKernel ** 2;
  const shifts = shiftsOf(geometry);
  // taps before planes, so that the innermost loop runs along both
  const group = new Float64Array(T * P);
  const sums = new Float64Array(kk * P);
  for (let n = 0; n < planes; n++) {
    const first = n - (n % P);
    if (n === first)
      for (let i = 0; i < T * P; i++) group[i] = basis[(first + (i % P)) * T + Math.floor(i / P)];
    const row = n * P * kk;
    for (let q = 0; q < P; q++)
      for (let j = 0; j < kk; j++) sums[j * P + q] = start ? a * start[row + q * kk + j] : 0;
    for (const [t, s, j] of shifts) {
      const value = m[n * T + t];
      for (let q = 0; q < P; q++) sums[j * P + q] += value * group[s * P + q];
    }
    for (let q = 0; q < P; q++) for (let j = 0; j < kk; j++) map[row + q * kk + j] = sums[j * P + q];
  }
  return map;
}
