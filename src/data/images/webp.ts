import { orientationOf } from './exif';
import { dropAlpha, hasText, ImageError, type ImageFormat, type Size, viewOf } from './format';
import { decodeInWasm } from './wasm';

/** WebP by libwebp, as Pillow has it; of an animation the first frame, on black where it does not cover the canvas. */
export const webp: ImageFormat = {
  name: 'WebP',
  recognises: (bytes) => bytes.length >= 30 && hasText(bytes, 0, 'RIFF') && hasText(bytes, 8, 'WEBP'),
  size: readSize,
  async decode(bytes, size) {
    if (hasText(bytes, 12, 'VP8X') && bytes[20] & ANIMATION) return drawFrame(firstFrame(bytes), size);
    return dropAlpha(await decodeInWasm('webp', bytes, size));
  },
  orientation: (bytes) => {
    const chunk = chunksOf(bytes, 12).find(({ kind }) => kind === 'EXIF');
    // some writers put JPEG's prefix before the data
    return orientationOf(chunk && hasText(chunk.data, 0, 'Exif\0\0') ? chunk.data.subarray(6) : chunk?.data);
  },
};

/** Flags of the extended header. */
const ANIMATION = 0x02;
const ALPHA = 0x10;

/** The three kinds of the container: lossy, lossless and extended (whose canvas the decoder holds to). */
function readSize(bytes: Uint8Array): Size {
  const view = viewOf(bytes);
  if (hasText(bytes, 12, 'VP8 ')) {
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
  if (hasText(bytes, 12, 'VP8L')) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (hasText(bytes, 12, 'VP8X')) return { width: u24(bytes, 24) + 1, height: u24(bytes, 27) + 1 };
  throw new ImageError('the WebP holds no picture');
}

function u24(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
}

interface Chunk {
  kind: string;
  data: Uint8Array;
  /** with its header and padding */
  whole: Uint8Array;
}

function chunksOf(bytes: Uint8Array, from: number): Chunk[] {
  const view = viewOf(bytes);
  const found: Chunk[] = [];
  for (let at = from; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    const end = at + 8 + size + (size & 1);
    const kind = String.fromCharCode(...bytes.subarray(at, at + 4));
    found.push({ kind, data: bytes.subarray(at + 8, at + 8 + size), whole: bytes.subarray(at, end) });
    at = end;
  }
  return found;
}

interface Frame extends Size {
  x: number;
  y: number;
  /** a WebP of this frame alone */
  file: Uint8Array<ArrayBuffer>;
}

function firstFrame(bytes: Uint8Array): Frame {
  const frame = chunksOf(bytes, 12).find(({ kind }) => kind === 'ANMF')?.data;
  if (!frame || frame.length < 24) throw new ImageError('the WebP holds no picture');
  const [x, y] = [2 * u24(frame, 0), 2 * u24(frame, 3)];
  const parts = chunksOf(frame, 16).filter(({ kind }) => ['ALPH', 'VP8 ', 'VP8L'].includes(kind));
  const header = [86, 80, 56, 88, 10, 0, 0, 0, ALPHA, 0, 0, 0, ...frame.subarray(6, 12)];
  const body = [Uint8Array.from(header), ...parts.map(({ whole }) => whole)];
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const file = new Uint8Array(12 + length);
  file.set(bytes.subarray(0, 12));
  viewOf(file).setUint32(4, 4 + length, true);
  let at = 12;
  for (const part of body) {
    file.set(part, at);
    at += part.length;
  }
  return { x, y, width: u24(frame, 6) + 1, height: u24(frame, 9) + 1, file };
}

async function drawFrame(
  { x, y, width, height, file }: Frame,
  canvas: Size,
): Promise<Uint8Array<ArrayBuffer>> {
  if (x + width > canvas.width || y + height > canvas.height) {
    throw new ImageError("the WebP's first frame reaches beyond its canvas");
  }
  const rgb = dropAlpha(await decodeInWasm('webp', file, { width, height }));
  const out = new Uint8Array(canvas.width * canvas.height * 3);
  for (let row = 0; row < height; row++) {
    const line = rgb.subarray(row * width * 3, (row + 1) * width * 3);
    out.set(line, ((y + row) * canvas.width + x) * 3);
  }
  return out;
}
