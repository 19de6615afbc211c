/** Redundancy of a layer as a small picture, for documents without script. */
import { interpolateViridis } from 'd3-scale-chromatic';
import { divergences } from '../analysis/pairs';
import type { LayerRedundancy } from '../analysis/redundancy';
import { paletteUri } from './png';

/** Pixels of a side at most: of larger layers some kernels, evenly spaced. */
const SIDE = 96;

const palette = Array.from({ length: 256 }, (_, i) => {
  const hex = Number.parseInt(interpolateViridis(i / 255).slice(1), 16);
  return [hex >> 16, (hex >> 8) & 255, hex & 255];
}).flat();

/** The value that 99 of 100 do not pass: one odd kernel must not make the rest look alike. */
export function topOf(layers: readonly LayerRedundancy[]): number {
  const values = layers.flatMap((layer) => [...pairsOf(layer).filter(Number.isFinite)]);
  const sorted = Float32Array.from(values).sort();
  return sorted[Math.floor(0.99 * (sorted.length - 1))] || 1;
}

/** Divergences between the kernels that the picture has a pixel of. */
function pairsOf({ kernels, drawn, shape }: LayerRedundancy): Float32Array {
  const taps = shape[2] * shape[3];
  const side = Math.min(SIDE, drawn.length);
  const some = new Float32Array(side * taps);
  for (let i = 0; i < side; i++) {
    const first = Math.floor((i * drawn.length) / side) * taps;
    some.set(kernels.subarray(first, first + taps), i * taps);
  }
  return divergences(some, taps);
}

/** A layer's divergences as a PNG with a palette, in a data URI. @param top the value of the lightest colour */
export function heatmapUri(layer: LayerRedundancy, top: number): string {
  const indices = Uint8Array.from(pairsOf(layer), (pair) =>
    Math.max(0, Math.min(255, Math.floor(256 * (pair / top || 0)))),
  );
  return paletteUri(indices, Math.min(SIDE, layer.drawn.length), palette);
}
