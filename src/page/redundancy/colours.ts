/** Colours of maps: one scale for what is 0 or more, one for what goes both ways. Both are told apart by colour-blind eyes. */
import { interpolateRdBu, interpolateViridis } from 'd3-scale-chromatic';

const COLOURS = 256;
const BINS = 4096;

/** A scale of colours over a range of numbers; what lies beyond takes the last colour on its side. */
export interface Scale {
  from: number;
  to: number;
  /** RGBA as bytes, from the least to the largest */
  palette: Uint8ClampedArray<ArrayBuffer>;
}

function paletteOf(interpolate: (at: number) => string): Uint8ClampedArray<ArrayBuffer> {
  return new Uint8ClampedArray(
    Array.from({ length: COLOURS }, (_, i) => [...rgbOf(interpolate(i / (COLOURS - 1))), 255]).flat(),
  );
}

/** `#rrggbb` or `rgb(r, g, b)` as three bytes. */
function rgbOf(text: string): number[] {
  if (!text.startsWith('#')) return text.match(/\d+/g)!.map(Number);
  const hex = Number.parseInt(text.slice(1), 16);
  return [hex >> 16, (hex >> 8) & 255, hex & 255];
}

const viridis = paletteOf(interpolateViridis);
// blue is less, red is more
const blueToRed = paletteOf((at) => interpolateRdBu(1 - at));

/** Of numbers of 0 or more. */
export const upTo = (top: number): Scale => ({ from: 0, to: top, palette: viridis });

/** Of numbers on both sides of 0, which is white. */
export const around0 = (top: number): Scale => ({ from: -top, to: top, palette: blueToRed });

/**
 * The 99th percentile of the sizes of numbers, so that one odd kernel does not make the rest look alike.
 * @returns above 0
 */
export function largeSize(values: Float32Array): number {
  let max = 0;
  for (const value of values) {
    const size = Math.abs(value);
    if (size > max && size < Infinity) max = size;
  }
  if (max === 0) return 1;
  const histogram = new Uint32Array(BINS);
  let total = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    total++;
    histogram[Math.min(BINS - 1, Math.floor((Math.abs(value) / max) * BINS))]++;
  }
  let seen = 0;
  for (let bin = 0; bin < BINS; bin++) {
    seen += histogram[bin];
    if (seen >= 0.99 * total) return (max * (bin + 1)) / BINS;
  }
  return max;
}

/** The next number above that begins with 1, 2 or 5: a scale that grows in steps stays the same for a while. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const digit = [1, 2, 5, 10].find((d) => d * power >= value * (1 - 1e-9)) ?? 10;
  return digit * power;
}

const indexOf = (value: number, { from, to }: Scale): number =>
  Math.max(0, Math.min(COLOURS - 1, Math.floor(((value - from) / (to - from)) * COLOURS)));

/**
 * An n x n matrix as pixels, its rows and columns in an order; what is not a number stays transparent.
 * @param order of rows and of columns, n numbers
 */
export function mapPixels(
  values: Float32Array,
  order: Uint32Array,
  scale: Scale,
): Uint8ClampedArray<ArrayBuffer> {
  const n = order.length;
  const out = new Uint8ClampedArray(n * n * 4);
  const { palette } = scale;
  for (let i = 0, at = 0; i < n; i++)
    for (let j = 0; j < n; j++, at += 4) {
      const value = values[order[i] * n + order[j]];
      if (Number.isNaN(value)) continue;
      const from = 4 * indexOf(value, scale);
      out[at] = palette[from];
      out[at + 1] = palette[from + 1];
      out[at + 2] = palette[from + 2];
      out[at + 3] = 255;
    }
  return out;
}

/** Numbers as pixels one after the other; what is not a number stays transparent. */
export function mapPixelsOf(values: Float32Array, scale: Scale): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(values.length * 4);
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    const from = 4 * indexOf(values[i], scale);
    out.set(scale.palette.subarray(from, from + 4), 4 * i);
  }
  return out;
}

/** The colour of a number, and one that text on it is read in. */
export function colourOf(value: number, scale: Scale): { fill: string; ink: string } {
  if (Number.isNaN(value)) return { fill: 'transparent', ink: 'currentColor' };
  const at = 4 * indexOf(value, scale);
  const [r, g, b] = scale.palette.subarray(at, at + 3);
  const isLight = 0.299 * r + 0.587 * g + 0.114 * b > 140;
  return { fill: `rgb(${r}, ${g}, ${b})`, ink: isLight ? '#10181c' : '#ffffff' };
}
