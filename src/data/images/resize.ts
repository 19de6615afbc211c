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

/** A part of an image: its size, and where it begins. */
interface Box extends Size {
  left: number;
  top: number;
}

/**
 * Resizes 8-bit RGB (height * width * 3 bytes) as `PIL.Image.resize((out.width, out.height), BILINEAR or BICUBIC)` does,
 * to the bit: a filter that widens with the reduction (antialiased), rows first, then columns, each rounded to 8 bits.
 * @param box the part of the result that is wanted, default all: nothing else is computed
 */
export function resize(
  rgb: Uint8Array,
  { width, height }: Size,
  out: Size,
  interpolation: keyof typeof FILTERS = 'bilinear',
  box: Box = { ...out, left: 0, top: 0 },
): Uint8Array<ArrayBuffer> {
  const filter = FILTERS[interpolation];
  const down = tapsOf(filter, height, out.height, box.top, box.height);
  const last = box.height - 1;
  const rows = { first: down.first[0], end: down.first[last] + down.count[last] };
  const across = resizeRows(rgb, width, rows, tapsOf(filter, width, out.width, box.left, box.width));
  return resizeColumns(across, box.width * 3, rows.first, down);
}

/** The rows from `first` to before `end`, each resampled. A cubic overshoots on both sides, which a clamped array cuts off. */
function resizeRows(
  rgb: Uint8Array,
  width: number,
  { first: begin, end }: { first: number; end: number },
  { first, count, weights, stride }: Taps,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8ClampedArray((end - begin) * first.length * 3);
  let to = 0;
  for (let y = begin; y < end; y++) {
    for (let i = 0; i < first.length; i++) {
      let [r, g, b] = [HALF, HALF, HALF];
      let at = (y * width + first[i]) * 3;
      const stop = i * stride + count[i];
      for (let k = i * stride; k < stop; k++, at += 3) {
        const weight = weights[k];
        // `| 0`: the sums are int32, which the compiler cannot know
        r = (r + Math.imul(rgb[at], weight)) | 0;
        g = (g + Math.imul(rgb[at + 1], weight)) | 0;
        b = (b + Math.imul(rgb[at + 2], weight)) | 0;
      }
      out[to++] = r >> PRECISION;
      out[to++] = g >> PRECISION;
      out[to++] = b >> PRECISION;
    }
  }
  return new Uint8Array(out.buffer);
}

/** Columns resampled, row by row as memory has them; `rows` of `row` bytes, the first of which is row `begin` of the image. */
function resizeColumns(
  rows: Uint8Array,
  row: number,
  begin: number,
  { first, count, weights, stride }: Taps,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8ClampedArray(first.length * row);
  const sums = new Int32Array(row);
  for (let i = 0; i < first.length; i++) {
    sums.fill(HALF);
    for (let k = 0; k < count[i]; k++) {
      const weight = weights[i * stride + k];
      const at = (first[i] + k - begin) * row;
      for (let x = 0; x < row; x++) sums[x] += Math.imul(rows[at + x], weight);
    }
    for (let x = 0, to = i * row; x < row; x++, to++) out[to] = sums[x] >> PRECISION;
  }
  return new Uint8Array(out.buffer);
}

/** Of a line of `size` samples that becomes one of `outSize`, those positions of it from `begin` on. */
function tapsOf(
  { reach, weight }: Filter,
  size: number,
  outSize: number,
  begin: number,
  positions: number,
): Taps {
  const scale = size / outSize;
  const widening = Math.max(scale, 1);
  const stride = Math.ceil(reach * widening) * 2 + 1;
  const first = new Int32Array(positions);
  const count = new Int32Array(positions);
  const weights = new Int32Array(positions * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < positions; i++) {
    const centre = (begin + i + 0.5) * scale;
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
 * The size that images of that crop have before it is cut out, both sides over cropPct, and where in them it lies: where
 * `resizeAndCrop`, told of the crop as `inner`, has put the middle of the whole resized image.
 */
export function aroundCrop({ width, height }: Size, { cropPct = 1 }: Resizing) {
  const whole = { width: Math.floor(width / cropPct), height: Math.floor(height / cropPct) };
  const top = middle(whole.height, height);
  const left = middle(whole.width, width);
  return { whole, crop: { top, left, width, height } };
}

/**
 * The middle of an image: it is scaled until it just covers `out`, each side over cropPct and rounded down (proportions
 * kept, the longer side rounded down), then cut. For a square that is torchvision's Resize(floor(side / cropPct)) and
 * CenterCrop(side), as timm has it. cropMode `squash` stretches it instead, Resize((height, width)); `border` has it fit in,
 * and black on both sides. Throws an ImageError where the scaled image would have more than MAX_PIXELS.
 * @param resizing its `inner` is a size that is cut out of the middle of `out` later, and then is the middle of the scaled image,
 * to the pixel: of a middle's middle CenterCrop's rounding would make another
 */
export function resizeAndCrop(
  rgb: Uint8Array,
  { width, height }: Size,
  { width: outWidth, height: outHeight }: Size,
  { interpolation, cropPct = 1, cropMode = 'center', inner }: Resizing & { inner?: Size } = {},
): Uint8Array<ArrayBuffer> {
  const frame = { width: Math.floor(outWidth / cropPct), height: Math.floor(outHeight / cropPct) };
  const { width: fullWidth, height: fullHeight } =
    cropMode === 'squash' ? frame : scaledTo({ width, height }, frame, cropMode);
  if (fullWidth * fullHeight > MAX_PIXELS) {
    throw new ImageError(`${width}x${height} is too long and narrow for ${outWidth}x${outHeight}`);
  }
  const begin = (full: number, out: number, cut = out) => middle(full, cut) - middle(out, cut);
  const left = begin(fullWidth, outWidth, inner?.width);
  const top = begin(fullHeight, outHeight, inner?.height);
  const box = {
    left: Math.max(0, left),
    top: Math.max(0, top),
    width: Math.min(outWidth, fullWidth),
    height: Math.min(outHeight, fullHeight),
  };
  const full = { width: fullWidth, height: fullHeight };
  const inside = resize(rgb, { width, height }, full, interpolation, box);
  if (box.width === outWidth && box.height === outHeight) return inside;
  const out = new Uint8Array(outWidth * outHeight * 3);
  for (let y = 0; y < box.height; y++) {
    const line = inside.subarray(y * box.width * 3, (y + 1) * box.width * 3);
    out.set(line, ((y + box.top - top) * outWidth + box.left - left) * 3);
  }
  return out;
}

/** Where torchvision's center_crop begins: before the image, where that is smaller. */
const middle = (full: number, out: number): number =>
  full >= out ? roundHalfEven((full - out) / 2) : -Math.floor((out - full) / 2);

/** The size, proportions kept, at which an image just covers a frame, or with `border` just fits into it. */
function scaledTo({ width, height }: Size, frame: Size, mode: 'center' | 'border'): Size {
  const isNarrow = width * frame.height <= height * frame.width;
  if (isNarrow === (mode === 'center'))
    return { width: frame.width, height: Math.max(1, Math.trunc((frame.width * height) / width)) };
  return { width: Math.max(1, Math.trunc((frame.height * width) / height)), height: frame.height };
}
