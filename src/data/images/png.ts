import { crc32 } from '../../io/crc32';
import { inflateBounded } from '../inflate';
import { orientationOf } from './exif';
import { hasText, ImageError, type ImageFormat, viewOf } from './format';

/** Samples a pixel by colour type (PNG specification, table 11.1). */
const CHANNELS = new Map([
  [0, 1],
  [2, 3],
  [3, 1],
  [4, 2],
  [6, 4],
]);
/** Adam7: first column, first row, column step, row step of each pass. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];
const WHOLE = [[0, 0, 1, 1]];

interface Png {
  width: number;
  height: number;
  depth: number;
  colour: number;
  channels: number;
  interlaced: boolean;
  palette: Uint8Array;
  data: Uint8Array;
}

export const png: ImageFormat = {
  name: 'PNG',
  recognises: (bytes) => bytes.length >= 33 && hasText(bytes, 0, '\x89PNG\r\n\x1a\n'),
  size(bytes) {
    if (!hasText(bytes, 12, 'IHDR')) throw new ImageError('the PNG has no header');
    return { width: viewOf(bytes).getUint32(16), height: viewOf(bytes).getUint32(20) };
  },
  decode: async (bytes) => decodePng(bytes),
  orientation: (bytes) => orientationOf(exifOf(bytes)),
};

/** The chunk of EXIF data, looked for without checking the others. */
function exifOf(bytes: Uint8Array): Uint8Array | undefined {
  const view = viewOf(bytes);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (hasText(bytes, at + 4, 'eXIf')) return bytes.subarray(at + 8, end);
    at = end + 4;
  }
  return undefined;
}

/**
 * Decodes a PNG to RGB as Pillow's `convert('RGB')` does: alpha and tRNS are dropped, gray is repeated, gray of 1,
 * 2 and 4 bits is scaled to 255. Of 16 bits the high byte stays, of gray too, where Pillow clips at 255 and leaves white.
 * Every colour type, depth and interlacing. `bytes` has passed `readImageHeader`. Throws an ImageError.
 */
function decodePng(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const png = readChunks(bytes);
  const passes = (png.interlaced ? ADAM7 : WHOLE).map(([x0, y0, dx, dy]) => {
    const width = Math.ceil((png.width - x0) / dx);
    const height = Math.ceil((png.height - y0) / dy);
    const stride = width > 0 && height > 0 ? Math.ceil((width * png.channels * png.depth) / 8) : 0;
    return { x0, y0, dx, dy, width, height, stride, bytes: stride > 0 ? (stride + 1) * height : 0 };
  });
  const expected = passes.reduce((sum, pass) => sum + pass.bytes, 0);
  const raw = inflateImage(png.data, expected);
  const rgb = new Uint8Array(png.width * png.height * 3);
  let at = 0;
  for (const pass of passes) {
    if (pass.bytes === 0) continue;
    const rows = raw.subarray(at, at + pass.bytes);
    unfilter(rows, pass.stride, Math.max(1, (png.channels * png.depth) >> 3));
    for (let row = 0; row < pass.height; row++) {
      const samples = rows.subarray(row * (pass.stride + 1) + 1, (row + 1) * (pass.stride + 1));
      writeRow(png, samples, rgb, (pass.y0 + row * pass.dy) * png.width + pass.x0, pass.width, pass.dx);
    }
    at += pass.bytes;
  }
  return rgb;
}

function inflateImage(data: Uint8Array, expected: number): Uint8Array {
  // what lies behind the last row is ignored, as libpng does, but not without end
  const excess = () => new ImageError('the PNG holds more data than its size allows');
  let raw: Uint8Array;
  try {
    raw = inflateBounded(data, 'zlib', expected + 65536, excess);
  } catch (error) {
    throw error instanceof ImageError ? error : new ImageError('the PNG is damaged');
  }
  if (raw.length < expected) throw new ImageError('the PNG is cut off');
  return raw;
}

/** Collects header, palette and image data; their checksums must hold. */
function readChunks(bytes: Uint8Array): Png {
  const view = viewOf(bytes);
  const [depth, colour, interlace] = [bytes[24], bytes[25], bytes[28]];
  const channels = CHANNELS.get(colour);
  const allowed = colour === 3 ? [1, 2, 4, 8] : colour === 0 ? [1, 2, 4, 8, 16] : [8, 16];
  if (!channels || !allowed.includes(depth) || interlace > 1) throw new ImageError('the PNG is damaged');
  // entries that the palette lacks are black
  const palette = new Uint8Array(768);
  const parts: Uint8Array[] = [];
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) throw new ImageError('the PNG is cut off');
    const length = view.getUint32(at);
    const type = view.getUint32(at + 4);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) throw new ImageError('the PNG is cut off');
    const critical = (bytes[at + 4] & 0x20) === 0;
    if (critical && view.getUint32(end) !== crc32(bytes.subarray(at + 4, end))) {
      throw new ImageError('the PNG is damaged (checksum)');
    }
    if (type === 0x504c5445) palette.set(bytes.subarray(at + 8, Math.min(end, at + 8 + 768)));
    if (type === 0x49444154) parts.push(bytes.subarray(at + 8, end));
    if (type === 0x49454e44) break;
    at = end + 4;
  }
  const data = parts.length === 1 ? parts[0] : join(parts);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  return { width, height, depth, colour, channels, interlaced: interlace === 1, palette, data };
}

/** Undoes the row filters (PNG specification, section 9) in place. */
function unfilter(rows: Uint8Array, stride: number, pixel: number): void {
  const zeros = new Uint8Array(stride);
  let above: Uint8Array = zeros;
  for (let at = 0; at < rows.length; at += stride + 1) {
    const row = rows.subarray(at + 1, at + 1 + stride);
    unfilterRow(rows[at], row, above, pixel);
    above = row;
  }
}

function unfilterRow(filter: number, row: Uint8Array, above: Uint8Array, pixel: number): void {
  if (filter === 0) return;
  if (filter > 4) throw new ImageError('the PNG is damaged');
  for (let i = 0; i < row.length; i++) {
    const left = i >= pixel ? row[i - pixel] : 0;
    const up = above[i];
    if (filter === 1) row[i] += left;
    else if (filter === 2) row[i] += up;
    else if (filter === 3) row[i] += (left + up) >> 1;
    else row[i] += paeth(left, up, i >= pixel ? above[i - pixel] : 0);
  }
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

/** Writes a row's pixels as RGB, from pixel `first` on, every `step`th. */
function writeRow(
  png: Png,
  samples: Uint8Array,
  rgb: Uint8Array,
  first: number,
  width: number,
  step: number,
) {
  const { depth, colour, channels, palette } = png;
  const bytesPerSample = depth === 16 ? 2 : 1;
  for (let i = 0; i < width; i++) {
    const to = (first + i * step) * 3;
    if (colour === 2 || colour === 6) {
      for (let c = 0; c < 3; c++) rgb[to + c] = samples[(i * channels + c) * bytesPerSample];
      continue;
    }
    const value = depth < 8 ? packed(samples, i, depth) : samples[i * channels * bytesPerSample];
    if (colour === 3) {
      for (let c = 0; c < 3; c++) rgb[to + c] = palette[value * 3 + c];
    } else {
      rgb.fill(depth < 8 ? (value * 255) / ((1 << depth) - 1) : value, to, to + 3);
    }
  }
}

/** Sample `i` of a row with 1, 2 or 4 bits a sample, the first in the high bits. */
function packed(samples: Uint8Array, i: number, depth: number): number {
  const bit = i * depth;
  return (samples[bit >> 3] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
}

function join(parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
