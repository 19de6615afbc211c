/**
 * The refocusing transformation in plain float64, for constants, export and proof. All kernels are in PyTorch's order:
 * weights OIHW (plane n = o * I/g + i has T = kh * kw taps), maps `[N, P, k, k]` with P = groups planes a map group
 * (G = C_in * C_out / groups^2 groups of them), as arXiv 2310.10563 has them.
 */

/** A convolution's basis and the kernel of its map. */
export interface RefocusGeometry {
  /** OIHW */
  basis: readonly [o: number, i: number, kh: number, kw: number];
  groups: number;
  /** k, odd */
  mapKernel: number;
}

/** Numbers of planes N, planes a map group P, map groups G and taps T. */
export function planesOf({ basis: [o, i, kh, kw], groups }: RefocusGeometry) {
  const planes = o * i;
  return { planes, perGroup: groups, mapGroups: planes / groups, taps: kh * kw };
}

/** The shape of the map, `[N, P, k, k]`. */
export function mapShape(geometry: RefocusGeometry): [number, number, number, number] {
  const { planes, perGroup } = planesOf(geometry);
  return [planes, perGroup, geometry.mapKernel, geometry.mapKernel];
}

/** Visits every pair (tap t, neighbour s = t + (u, v) - k/2 within the kernel) with the map's tap j = u * k + v. */
export function eachShift(
  { basis: [, , kh, kw], mapKernel: k }: RefocusGeometry,
  visit: (t: number, s: number, j: number) => void,
): void {
  const half = k >> 1;
  for (let j = 0; j < k * k; j++) {
    const du = Math.floor(j / k) - half;
    const dv = (j % k) - half;
    for (let a = Math.max(0, -du); a < Math.min(kh, kh - du); a++)
      for (let b = Math.max(0, -dv); b < Math.min(kw, kw - dv); b++)
        visit(a * kw + b, (a + du) * kw + b + dv, j);
  }
}

/** `eachShift`'s visits as a list, for loops that go through the planes once: maps are large, kernels small. */
export function shiftsOf(geometry: RefocusGeometry): readonly (readonly [t: number, s: number, j: number])[] {
  const shifts: [t: number, s: number, j: number][] = [];
  eachShift(geometry, (...shift) => shifts.push(shift));
  return shifts;
}

/**
 * W_t = identity * W_b + conv2d(W_b as one image of planes, W_r). Without the identity term it is W_r B, the constant
 * `start` of the factored form when the map is the start's.
 */
export function refocus(
  basis: ArrayLike<number>,
  map: ArrayLike<number>,
  geometry: RefocusGeometry,
  identity = true,
): Float64Array {
  const { planes, perGroup: P, taps: T } = planesOf(geometry);
  const kk = geometry.mapKernel ** 2;
  const out = new Float64Array(planes * T);
  if (identity) for (let i = 0; i < out.length; i++) out[i] = basis[i];
  const shifts = shiftsOf(geometry);
  for (let n = 0; n < planes; n++) {
    const first = n - (n % P);
    for (const [t, s, j] of shifts) {
      let sum = 0;
      for (let m = 0; m < P; m++) sum += basis[(first + m) * T + s] * map[(n * P + m) * kk + j];
      out[n * T + t] += sum;
    }
  }
  return out;
}

/** Gram = B^T B of the im2col B of each map group's planes, `[G, T, T]`; symmetric. */
export function gramOf(basis: ArrayLike<number>, geometry: RefocusGeometry): Float64Array {
  const { perGroup: P, mapGroups, taps: T } = planesOf(geometry);
  const gram = new Float64Array(mapGroups * T * T);
  // the k * k shifts of B see the same products of taps: sum those over the planes once
  const products = new Float64Array(T * T);
  const shifts: number[][] = Array.from({ length: geometry.mapKernel ** 2 }, () => []);
  eachShift(geometry, (t, s, j) => shifts[j].push(t, s));
  for (let group = 0; group < mapGroups; group++) {
    products.fill(0);
    for (let n = group * P; n < (group + 1) * P; n++)
      for (let p = 0; p < T; p++) {
        const w = basis[n * T + p];
        for (let q = 0; q < T; q++) products[p * T + q] += w * basis[n * T + q];
      }
    const out = gram.subarray(group * T * T, (group + 1) * T * T);
    for (const pairs of shifts)
      for (let x = 0; x < pairs.length; x += 2)
        for (let y = 0; y < pairs.length; y += 2)
          out[pairs[x] * T + pairs[y]] += products[pairs[x + 1] * T + pairs[y + 1]];
  }
  return gram;
}

/** M Gram, plane by plane with its group's matrix: the trained term of the factored W_t, a weight in OIHW. */
export function timesGram(
  m: ArrayLike<number>,
  gram: ArrayLike<number>,
  geometry: RefocusGeometry,
): Float64Array {
  const { planes, perGroup: P, taps: T } = planesOf(geometry);
  const out = new Float64Array(planes * T);
  for (let n = 0; n < planes; n++) {
    const base = Math.floor(n / P) * T * T;
    for (let s = 0; s < T; s++) {
      const value = m[n * T + s];
      for (let t = 0; t < T; t++) out[n * T + t] += value * gram[base + s * T + t];
    }
  }
  return out;
}

/** |dW_r|^2 of the map's gradient dW_r = dW_t B^T, as trace(dW_t Gram dW_t^T): without forming it. */
export function mapGradientNormSquared(
  dw: ArrayLike<number>,
  gram: ArrayLike<number>,
  geometry: RefocusGeometry,
): number {
  return timesGram(dw, gram, geometry).reduce((sum, v, i) => sum + v * dw[i], 0);
}
