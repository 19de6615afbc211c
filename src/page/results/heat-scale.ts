/** The colours of a pair of heatmaps. */
import { interpolateViridis } from 'd3-scale-chromatic';

const BINS = 4096;

/**
 * The top of a colour scale for all of these values: their 99th percentile, so that one odd kernel does not make the
 * rest look alike.
 * @returns above 0
 */
export function scaleTop(sets: readonly Float32Array[]): number {
  let max = 0;
  for (const set of sets) for (const value of set) if (value > max && value < Infinity) max = value;
  if (max === 0) return 1;
  const histogram = new Uint32Array(BINS);
  let total = 0;
  for (const set of sets) {
    total += set.length;
    for (const value of set) histogram[Math.min(BINS - 1, Math.floor((value / max) * BINS))]++;
  }
  let seen = 0;
  for (let bin = 0; bin < BINS; bin++) {
    seen += histogram[bin];
    if (seen >= 0.99 * total) return (max * (bin + 1)) / BINS;
  }
  return max;
}

/** Viridis in 256 colours, RGBA as bytes. */
export const palette = new Uint8ClampedArray(
  Array.from({ length: 256 }, (_, i) => {
    const hex = Number.parseInt(interpolateViridis(i / 255).slice(1), 16);
    return [hex >> 16, (hex >> 8) & 255, hex & 255, 255];
  }).flat(),
);

/** Values as pixels, `top` and above as the last colour; what is not a number stays transparent. */
export function heatPixels(values: Float32Array, top: number): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(values.length * 4);
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    const at = 4 * Math.max(0, Math.min(255, Math.floor((values[i] / top) * 256)));
    out.set(palette.subarray(at, at + 4), i * 4);
  }
  return out;
}
