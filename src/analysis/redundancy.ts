/** What kernels of a layer say twice, and where their weight lies; as the RefConv paper looks at both. */
import { effectiveCount, symmetricEigen } from './eigen';
import { inverseNorm, logSoftmax, type Planes, planesOf } from './planes';

/** Three figures of how alike the kernels of a layer are, over all of them. */
export interface RedundancyFigures {
  /** mean of D(i, j) over all pairs of different planes, nats; 0: all say the same */
  divergence: number;
  /** mean cosine between all pairs of different planes; 1: all point the same way */
  cosine: number;
  /**
   * exp of the entropy of the singular values' shares (Roy and Vetterli 2007) of the planes as rows, between 1 and the taps;
   * NaN for kernels of more than 128 taps
   */
  effectiveRank: number;
}

/** Redundancy of one spatial convolution: figures of all its planes, and as many of these as a picture shows. */
export interface LayerRedundancy extends RedundancyFigures {
  name: string;
  /** OIHW */
  shape: number[];
  /** kernels of the layer, a plane each: O * I */
  planes: number;
  /** of them those that a picture shows, ascending, in PyTorch's order */
  drawn: Uint32Array;
  /** the drawn planes' weights, a row of KH * KW each */
  kernels: Float32Array;
  /** sum of |W| over all planes at each tap, KH x KW */
  skeleton: Float64Array;
}

/** Most planes that a picture shows. */
export const MAX_DRAWN = 512;
/** Most products that a picture's pairs are made of: of large kernels fewer are drawn. */
const MAX_PRODUCTS = 2 ** 24;

/** Most rows or columns of a matrix whose singular values are computed. */
const MAX_RANK = 128;

/**
 * Redundancy between the kernels of one convolution. A kernel is one KH x KW plane; P_i is the softmax of its weights and
 * D(i, j) = sum P_i log(P_i / P_j). All figures are of all planes, by sums that take each plane once.
 * @param weight OIHW, O * I * KH * KW numbers
 * @param shape `[O, I, KH, KW]`, I = 1 for depthwise
 * @throws UserError where shape and weight do not fit
 */
export function redundancyOf(
  name: string,
  weight: ArrayLike<number>,
  shape: readonly number[],
): LayerRedundancy {
  const all = planesOf(name, weight, shape);
  const { planes, taps } = all;
  const drawn = drawnOf(shape);
  const kernels = new Float32Array(drawn.length * taps);
  for (const [row, plane] of drawn.entries())
    for (let t = 0; t < taps; t++) kernels[row * taps + t] = weight[plane * taps + t];
  return {
    name,
    shape: [...shape],
    planes,
    drawn,
    kernels,
    divergence: meanDivergence(all),
    cosine: meanCosine(all),
    effectiveRank: effectiveRank(all),
    skeleton: skeletonOf(all),
  };
}

/** The planes of a convolution that a picture shows. @param shape OIHW */
export function drawnOf([o, i, kh, kw]: readonly number[]): Uint32Array {
  return drawnPlanes(o * i, Math.min(MAX_DRAWN, Math.floor(Math.sqrt(MAX_PRODUCTS / (kh * kw)))));
}

/**
 * Which planes a picture shows: all, or of more one out of each of `most` stretches of equal length. Where in its
 * stretch it lies is a hash of the stretch's number: an even stride would meet the same input channels again and again.
 */
export function drawnPlanes(planes: number, most = MAX_DRAWN): Uint32Array {
  if (planes <= most) return Uint32Array.from({ length: planes }, (_, i) => i);
  return Uint32Array.from({ length: most }, (_, i) => {
    const first = Math.floor((i * planes) / most);
    const end = Math.floor(((i + 1) * planes) / most);
    return first + (hash(i) % (end - first));
  });
}

/** Scatters small integers (the finaliser of MurmurHash3). */
function hash(value: number): number {
  let x = value + 1;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/**
 * The mean of D over all pairs, in one pass: sum over i, j of D(i, j) is
 * n * sum P_i log P_i - (sum P_i) * (sum log P_j), tap by tap, and D(i, i) is 0.
 */
function meanDivergence({ weight, planes, taps }: Planes): number {
  if (planes < 2) return 0;
  const logP = new Float64Array(taps);
  const own = new Float64Array(taps);
  const sumP = new Float64Array(taps);
  const sumLog = new Float64Array(taps);
  for (let n = 0; n < planes; n++) {
    logSoftmax(weight, n * taps, logP);
    for (let t = 0; t < taps; t++) {
      const p = Math.exp(logP[t]);
      own[t] += p * logP[t];
      sumP[t] += p;
      sumLog[t] += logP[t];
    }
  }
  let sum = 0;
  for (let t = 0; t < taps; t++) sum += planes * own[t] - sumP[t] * sumLog[t];
  // what is equal leaves a rounding error on either side of 0; NaN stays NaN
  return Math.max(0, sum) / (planes * (planes - 1));
}

/** The mean cosine over all pairs: with u_i of length 1, sum over i, j of u_i u_j is |sum u_i|^2, of which i = j is taken off. */
function meanCosine(all: Planes): number {
  const { weight, planes, taps } = all;
  if (planes < 2) return 0;
  const sum = new Float64Array(taps);
  let same = 0;
  for (let n = 0; n < planes; n++) {
    const scale = inverseNorm(all, n);
    if (scale !== 0) same++;
    for (let t = 0; t < taps; t++) sum[t] += weight[n * taps + t] * scale;
  }
  return (sum.reduce((square, v) => square + v * v, 0) - same) / (planes * (planes - 1));
}

function effectiveRank({ weight, planes, taps }: Planes): number {
  const n = Math.min(planes, taps);
  if (n > MAX_RANK) return Number.NaN;
  const gram = new Float64Array(n * n);
  // of few planes the products of rows, of few taps those of columns: both have the squares of the singular values
  const [step, inner, length] = planes < taps ? [taps, 1, taps] : [1, taps, planes];
  for (let k = 0; k < length; k++)
    for (let i = 0; i < n; i++) {
      const w = weight[i * step + k * inner];
      for (let j = i; j < n; j++) gram[i * n + j] += w * weight[j * step + k * inner];
    }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) gram[i * n + j] = gram[j * n + i];
  if (!gram.every(Number.isFinite)) return Number.NaN;
  const { values } = symmetricEigen(gram, n);
  // below this is the rounding of the sums, not a singular value
  const floor = values[0] * n * 2 ** -52;
  return effectiveCount(values.map((value) => (value > floor ? Math.sqrt(value) : 0)));
}

/**
 * The spatial skeleton of a convolution: the sum of |W| over all planes at each tap, KH x KW row-major.
 * @throws UserError where shape and weight do not fit
 */
export const kernelSkeleton = (name: string, weight: ArrayLike<number>, shape: readonly number[]) =>
  skeletonOf(planesOf(name, weight, shape));

function skeletonOf({ weight, planes, taps }: Planes): Float64Array {
  const skeleton = new Float64Array(taps);
  for (let i = 0; i < planes * taps; i++) skeleton[i % taps] += Math.abs(weight[i]);
  return skeleton;
}
