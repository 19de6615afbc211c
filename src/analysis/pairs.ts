/** Kernels of a layer compared one by one, and an order in which alike ones lie side by side. */
import { inverseNorm, logSoftmax } from './planes';

/**
 * D(i, j) = sum P_i log(P_i / P_j) of each pair, nats; P_i is the softmax of kernel i.
 * @param kernels n rows of `taps` weights
 * @returns n x n, row-major
 */
export function divergences(kernels: Float32Array, taps: number): Float32Array {
  const n = kernels.length / taps;
  const logP = new Float64Array(n * taps);
  for (let i = 0; i < n; i++) logSoftmax(kernels, i * taps, logP.subarray(i * taps, (i + 1) * taps));
  const out = new Float32Array(n * n);
  const p = new Float64Array(taps);
  for (let i = 0; i < n; i++) {
    let own = 0;
    for (let t = 0; t < taps; t++) {
      p[t] = Math.exp(logP[i * taps + t]);
      own += p[t] * logP[i * taps + t];
    }
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      let cross = 0;
      for (let t = 0; t < taps; t++) cross += p[t] * logP[j * taps + t];
      // equal kernels differ by rounding, never by less than nothing
      out[i * n + j] = Math.max(0, own - cross);
    }
  }
  return out;
}

/**
 * Cosine of each pair; that of a kernel of zeros is 0, with itself too.
 * @param kernels n rows of `taps` weights
 * @returns n x n, row-major
 */
export function cosines(kernels: Float32Array, taps: number): Float32Array {
  const n = kernels.length / taps;
  const unit = new Float64Array(kernels.length);
  for (let i = 0; i < n; i++) {
    const scale = inverseNorm({ weight: kernels, planes: n, taps }, i);
    for (let t = i * taps; t < (i + 1) * taps; t++) unit[t] = kernels[t] * scale;
  }
  const out = new Float32Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) {
      let sum = 0;
      for (let t = 0; t < taps; t++) sum += unit[i * taps + t] * unit[j * taps + t];
      out[i * n + j] = out[j * n + i] = sum;
    }
  return out;
}

/** The distance of a kernel that is not finite; means of it stay finite. */
const FARTHEST = 1e200;

/**
 * An order of n kernels in which alike ones lie side by side: hierarchical clustering with average linkage (by chains of
 * nearest neighbours, so in n^2 steps), each merge turned so that its two nearest ends meet (Gruvaeus and Wainer 1972).
 * @param pairs n x n divergences; a distance is the mean of both directions
 */
export function clusterOrder(pairs: Float32Array, n: number): Uint32Array {
  const leaf = (i: number, j: number) => (pairs[i * n + j] + pairs[j * n + i]) / 2;
  const distance = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const d = leaf(i, j);
      distance[i * n + j] = Number.isFinite(d) ? d : FARTHEST;
    }
  const members: (number[] | undefined)[] = Array.from({ length: n }, (_, i) => [i]);
  const chain: number[] = [];
  for (let left = n; left > 1; ) {
    if (chain.length === 0) chain.push(members.findIndex((list) => list !== undefined));
    const top = chain[chain.length - 1];
    const before = chain.length > 1 ? chain[chain.length - 2] : -1;
    const nearest = nearestTo(top, before, distance, members);
    if (nearest !== before) {
      chain.push(nearest);
      continue;
    }
    chain.length -= 2;
    mergeClusters(top, nearest, distance, members, leaf);
    left--;
  }
  return Uint32Array.from(members.find((list) => list !== undefined) ?? []);
}

/** The cluster nearest to one; `before` wins a tie, so that a chain ends. */
function nearestTo(
  one: number,
  before: number,
  distance: Float64Array,
  members: readonly (number[] | undefined)[],
): number {
  const n = members.length;
  let best = before;
  let least = before >= 0 ? distance[one * n + before] : Infinity;
  for (let other = 0; other < n; other++) {
    if (other === one || !members[other] || distance[one * n + other] >= least) continue;
    least = distance[one * n + other];
    best = other;
  }
  return best;
}

/** Puts b's members behind or before a's; the cluster keeps a's number. */
function mergeClusters(
  a: number,
  b: number,
  distance: Float64Array,
  members: (number[] | undefined)[],
  leaf: (i: number, j: number) => number,
): void {
  const n = members.length;
  const x = members[a]!;
  const y = members[b]!;
  for (let other = 0; other < n; other++) {
    if (!members[other] || other === a || other === b) continue;
    const d =
      (x.length * distance[a * n + other] + y.length * distance[b * n + other]) / (x.length + y.length);
    distance[a * n + other] = distance[other * n + a] = d;
  }
  const ways = [
    { ends: [x[x.length - 1], y[0]], joined: () => [...x, ...y] },
    { ends: [x[x.length - 1], y[y.length - 1]], joined: () => [...x, ...y.reverse()] },
    { ends: [x[0], y[0]], joined: () => [...x.reverse(), ...y] },
    { ends: [x[0], y[y.length - 1]], joined: () => [...y, ...x] },
  ];
  const gaps = ways.map(({ ends: [i, j] }) => leaf(i, j));
  // of gaps that are no numbers none is the least
  members[a] = ways[Math.max(0, gaps.indexOf(Math.min(...gaps)))].joined();
  members[b] = undefined;
}
