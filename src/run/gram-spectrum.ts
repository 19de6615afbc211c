/** What a layer's Gram matrix lets refocusing change. */
import { effectiveCount, symmetricEigen } from '../analysis/eigen';
import type { ConvLayer } from '../model/model';
import { mapKernelOf } from '../model/refconv';
import { gramOf, planesOf } from '../model/refocus-math';

/**
 * Spectrum of Gram = B^T B, taps x taps, of a convolution's frozen kernels: an SGD step through the map moves W_t by the
 * gradient times this matrix, so along each eigenvector by its eigenvalue times what fine-tuning's step would.
 */
export interface GramSpectrum {
  /** k of the map */
  mapKernel: number;
  /** map groups, each with a matrix of its own: 1 of a depthwise layer, a plane each of a dense one */
  groups: number;
  /** of them those that the figures are of, evenly spaced */
  measured: number;
  /** from the largest to the smallest, each the mean over the measured groups */
  eigenvalues: Float64Array;
  /** how many directions the eigenvalues are spread over (exp of their shares' entropy), the mean over the measured groups */
  directions: number;
  /** taps x taps, row k the kernel that eigenvalue k is of; absent where there are several matrices */
  eigenkernels?: Float64Array;
}

/** Most map groups whose spectra are computed. */
const MAX_GROUPS = 64;
/** Most taps of a kernel whose spectrum is computed. */
const MAX_TAPS = 128;

/**
 * @param weight OIHW
 * @param wishedKernel k as the settings have it
 * @returns undefined where the kernel is too large, or holds what is no number
 */
export function gramSpectrum(
  conv: ConvLayer,
  weight: ArrayLike<number>,
  wishedKernel = 3,
): GramSpectrum | undefined {
  const mapKernel = mapKernelOf(conv, wishedKernel);
  const [, , kh, kw] = conv.shape;
  const {
    perGroup,
    mapGroups: groups,
    taps,
  } = planesOf({ basis: conv.shape, groups: conv.groups, mapKernel });
  if (taps > MAX_TAPS) return undefined;
  const measured = Math.min(groups, MAX_GROUPS);
  const eigenvalues = new Float64Array(taps);
  let directions = 0;
  let eigenkernels: Float64Array | undefined;
  for (let m = 0; m < measured; m++) {
    const first = Math.floor((m * groups) / measured) * perGroup * taps;
    const planes = Float64Array.from({ length: perGroup * taps }, (_, i) => weight[first + i]);
    const gram = gramOf(planes, { basis: [perGroup, 1, kh, kw], groups: perGroup, mapKernel });
    if (!gram.every(Number.isFinite)) return undefined;
    const { values, vectors } = symmetricEigen(gram, taps);
    // rounding leaves a singular matrix numbers on either side of 0
    const whole = values.map((value) => Math.max(0, value));
    for (let t = 0; t < taps; t++) eigenvalues[t] += whole[t] / measured;
    directions += effectiveCount(whole) / measured;
    eigenkernels = vectors;
  }
  return { mapKernel, groups, measured, eigenvalues, directions, ...(groups === 1 && { eigenkernels }) };
}
