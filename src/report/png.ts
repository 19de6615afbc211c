/** Small pictures as PNG files in data URIs, for documents without script. */
import { zlibSync } from 'fflate';
import { crc32 } from '../io/crc32';

/** A square of bytes, each an index into a palette of RGB. */
export function paletteUri(indices: Uint8Array, side: number, palette: readonly number[]): string {
  const chunks = [chunk('PLTE', Uint8Array.from(palette))];
  return uri({ width: side, height: side, kind: 3 }, rowsOf(indices, side), chunks);
}

/** RGB bytes, row by row. */
export const rgbUri = (pixels: Uint8Array, width: number, height: number): string =>
  uri({ width, height, kind: 2 }, rowsOf(pixels, 3 * width), []);

/** Each row begins with its filter: none. */
function rowsOf(bytes: Uint8Array, row: number): Uint8Array {
  const count = bytes.length / row;
  const rows = new Uint8Array(count * (row + 1));
  for (let y = 0; y < count; y++) rows.set(bytes.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  return rows;
}

function uri(
  { width, height, kind }: { width: number; height: number; kind: 2 | 3 },
  rows: Uint8Array,
  more: Uint8Array[],
): string {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  // 8 bits, RGB or a palette, nothing interlaced
  header.set([8, kind, 0, 0, 0], 8);
  const chunks = [
    chunk('IHDR', header),
    ...more,
    chunk('IDAT', zlibSync(rows)),
    chunk('IEND', new Uint8Array(0)),
  ];
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  return `data:image/png;base64,${base64([...signature, ...chunks.flatMap((c) => [...c])])}`;
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

const base64 = (bytes: readonly number[]): string =>
  btoa(bytes.map((byte) => String.fromCharCode(byte)).join(''));
