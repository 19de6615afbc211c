/** Redundancy of a layer as a small picture, for documents without script. */
import { interpolateViridis } from 'd3-scale-chromatic';
import { zlibSync } from 'fflate';
import { divergences } from '../analysis/pairs';
import type { LayerRedundancy } from '../analysis/redundancy';
import { crc32 } from '../io/crc32';

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
  const side = Math.min(SIDE, layer.drawn.length);
  const pairs = pairsOf(layer);
  const rows = new Uint8Array(side * (side + 1));
  for (let i = 0; i < side; i++)
    for (let j = 0; j < side; j++) {
      const value = pairs[i * side + j] / top;
      rows[i * (side + 1) + 1 + j] = Math.max(0, Math.min(255, Math.floor(256 * (value || 0))));
    }
  return `data:image/png;base64,${base64(palettePng(rows, side))}`;
}

/** @param rows bytes a row: its filter, 0, and an index of the palette a pixel */
function palettePng(rows: Uint8Array, side: number): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, side);
  view.setUint32(4, side);
  // 8 bits, a palette, nothing interlaced
  header.set([8, 3, 0, 0, 0], 8);
  const chunks = [
    chunk('IHDR', header),
    chunk('PLTE', Uint8Array.from(palette)),
    chunk('IDAT', zlibSync(rows)),
    chunk('IEND', new Uint8Array(0)),
  ];
  return Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, ...chunks.flatMap((c) => [...c])]);
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set(new TextEncoder().encode(type), 4);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

const base64 = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
