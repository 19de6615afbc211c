import type { Resizing } from '../types';
import { ImageError, MAX_PIXELS, roundHalfEven, type Size } from './format';

/**
 * Fixed-point bits of a coefficient: with 8-bit samples and weights that sum to one, 22 bits leave two of an int32
 * for the overshoot. Pillow uses the same, and its output is what we match.
 */
const PRECISION = 22;
const HALF = 2 ** (PRECISION - 1);
const ONE = 2 ** PRECISION;

/** A filter: the weight of a sample at a distance, in pixels of the coarser image, and how far it reaches. */
interface Filter {
  reach: number;
  weight(distance: number): number;
}

const FILTERS: Record<NonNullable<Resizing['interpolation']>, Filter> = {
  bilinear: { reach: 1, weight: (x) => Math.max(0, 1 - x) },
  // Keys' cubic convolution with a = -1/2
  bicubic: {
    reach: 2,
    weight: (x) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0),
  },
};

/** For each output position: the first input sample, and fixed-point weights of it and the next ones. */
interface Taps {
  first: Int32Array;
  count: Int32Array;
  weights: Int32Array;
  /** room of one output position in `weights` */
  stride: number;
}

/**
 * Resizes 8-bit RGB (height * width * 3 bytes) as `PIL.Image.resize((out.width, out.height), BILINEAR or BICUBIC)` does,
 * to the bit: a filter that widens with the reduction (antialiased), rows first, then columns, each rounded to 8 bits.
 */
export function resize(
  rgb: Uint8Array,
  { width, height }: Size,
  { width: outWidth, height: outHeight }: Size,
  interpolation: keyof typeof FILTERS = 'bilinear',
): Uint8Array<ArrayBuffer> {
  const filter = FILTERS[interpolation];
  const across = outWidth === width ? rgb.slice() : new Uint8Array(outWidth * height * 3);
  if (outWidth !== width) {
    const taps = tapsOf(filter, width, outWidth);
    for (let y = 0; y < height; y++) {
      const from = rgb.subarray(y * width * 3, (y + 1) * width * 3);
      resampleLine(from, 3, taps, across, y * outWidth * 3, 3);
    }
  }
  if (outHeight === height) return across;
  const out = new Uint8Array(outWidth * outHeight * 3);
  const taps = tapsOf(filter, height, outHeight);
  const row = outWidth * 3;
  for (let x = 0; x < outWidth; x++) resampleLine(across.subarray(x * 3), row, taps, out, x * 3, row);
  return out;
}

/** One line of RGB samples, `step` bytes apart, resampled to one `outStep` bytes apart. */
function resampleLine(
  from: Uint8Array,
  step: number,
  taps: Taps,
  out: Uint8Array,
  outAt: number,
  outStep: number,
): void {
  const { first, count, weights, stride } = taps;
  for (let i = 0; i < first.length; i++) {
    let [r, g, b] = [HALF, HALF, HALF];
    let at = first[i] * step;
    for (let k = i * stride; k < i * stride + count[i]; k++, at += step) {
      const weight = weights[k];
      r += from[at] * weight;
      g += from[at + 1] * weight;
      b += from[at + 2] * weight;
    }
    const to = outAt + i * outStep;
    out[to] = byte(r >> PRECISION);
    out[to + 1] = byte(g >> PRECISION);
    out[to + 2] = byte(b >> PRECISION);
  }
}

/** A cubic overshoots on both sides. */
const byte = (value: number): number => Math.min(Math.max(value, 0), 255);

function tapsOf({ reach, weight }: Filter, size: number, outSize: number): Taps {
  const scale = size / outSize;
  const widening = Math.max(scale, 1);
  const stride = Math.ceil(reach * widening) * 2 + 1;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Int32Array(outSize * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < outSize; i++) {
    const centre = (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - reach * widening + 0.5));
    const high = Math.min(size, Math.trunc(centre + reach * widening + 0.5));
    const inverse = 1 / widening;
    let sum = 0;
    for (let k = 0; k < high - low; k++) {
      exact[k] = weight(Math.abs((k + low - centre + 0.5) * inverse));
      sum += exact[k];
    }
    for (let k = 0; k < high - low; k++) {
      const fixed = (exact[k] / sum) * ONE;
      weights[i * stride + k] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    }
    first[i] = low;
    count[i] = high - low;
  }
  return { first, count, weights, stride };
}

/**
 * The size that images of that crop have before it is cut out, both sides over cropPct, and where in them the middle lies:
 * that of torchvision's CenterCrop of the whole resized image, if it is square.
 */
export function aroundCrop({ width, height }: Size, { cropPct = 1 }: Resizing) {
  const whole = { width: Math.floor(width / cropPct), height: Math.floor(height / cropPct) };
  const top = roundHalfEven((whole.height - height) / 2);
  const left = roundHalfEven((whole.width - width) / 2);
  return { whole, crop: { top, left, width, height } };
}

/**
 * The middle of an image: it is scaled until it just covers `out`, each side over cropPct and rounded down (proportions
 * kept, the longer side rounded down), then cut. For a square that is torchvision's Resize(floor(side / cropPct)) and
 * CenterCrop(side), as timm has it. Throws an ImageError where the scaled image would have more than MAX_PIXELS.
 */
export function resizeAndCrop(
  rgb: Uint8Array,
  { width, height }: Size,
  { width: outWidth, height: outHeight }: Size,
  { interpolation, cropPct = 1 }: Resizing = {},
): Uint8Array<ArrayBuffer> {
  const coveredWidth = Math.floor(outWidth / cropPct);
  const coveredHeight = Math.floor(outHeight / cropPct);
  const isNarrow = width * coveredHeight <= height * coveredWidth;
  const fullWidth = isNarrow ? coveredWidth : Math.trunc((coveredHeight * width) / height);
  const fullHeight = isNarrow ? Math.trunc((coveredWidth * height) / width) : coveredHeight;
  if (fullWidth * fullHeight > MAX_PIXELS) {
    throw new ImageError(`${width}x${height} is too long and narrow for ${outWidth}x${outHeight}`);
  }
  const resized = resize(rgb, { width, height }, { width: fullWidth, height: fullHeight }, interpolation);
  if (fullWidth === outWidth && fullHeight === outHeight) return resized;
  const left = roundHalfEven((fullWidth - outWidth) / 2);
  const top = roundHalfEven((fullHeight - outHeight) / 2);
  const out = new Uint8Array(outWidth * outHeight * 3);
  for (let y = 0; y < outHeight; y++) {
    const at = ((top + y) * fullWidth + left) * 3;
    out.set(resized.subarray(at, at + outWidth * 3), y * outWidth * 3);
  }
  return out;
}
