import { ImageError, type ImageFormat, type Size, viewOf } from './format';

/** Kinds of compression in a header. */
const RLE8 = 1;
const RLE4 = 2;
const FIELDS = 3;

interface BmpHeader extends Size {
  /** rows go from top to bottom; they go up as a rule */
  down: boolean;
  bits: number;
  compression: number;
  /** bits of red, green and blue in a pixel of 16 or 32 bits */
  masks: number[];
  /** 3 bytes a colour: blue, green, red; where the palette begins, how many bytes an entry has */
  palette: { at: number; entry: number; count: number };
  /** where the pixels begin */
  pixels: number;
}

/**
 * BMP of 1, 4, 8, 16, 24 or 32 bits, run-length coded too, with any Windows or OS/2 header. The fourth byte of 32 bits is
 * dropped. Our own, because the libraries for it misread palettes or know but a few kinds.
 */
export const bmp: ImageFormat = {
  name: 'BMP',
  recognises: (bytes) => bytes.length >= 26 && bytes[0] === 0x42 && bytes[1] === 0x4d,
  size: (bytes) => {
    const { width, height } = readHeader(bytes);
    return { width, height };
  },
  decode: async (bytes) => decodeBmp(bytes, readHeader(bytes)),
};

function readHeader(bytes: Uint8Array): BmpHeader {
  const view = viewOf(bytes);
  const size = view.getUint32(14, true);
  const isCore = size === 12;
  if (!isCore && (size < 40 || size > 124)) throw new ImageError('the BMP has an unknown header');
  if (bytes.length < 14 + size) throw new ImageError('the BMP is cut off');
  const width = isCore ? view.getUint16(18, true) : view.getInt32(18, true);
  const height = isCore ? view.getUint16(20, true) : view.getInt32(22, true);
  const bits = view.getUint16(isCore ? 24 : 28, true);
  const compression = isCore ? 0 : view.getUint32(30, true);
  if (compression > FIELDS || ![1, 4, 8, 16, 24, 32].includes(bits)) {
    throw new ImageError(`BMPs of ${bits} bits and compression ${compression} are not read`);
  }
  if ((compression === RLE8 && bits !== 8) || (compression === RLE4 && bits !== 4)) {
    throw new ImageError('the BMP is damaged');
  }
  // later headers hold the masks, the first one has them behind it
  const hasMasks = compression === FIELDS;
  if (hasMasks && (bits < 16 || bytes.length < 66)) throw new ImageError('the BMP is damaged');
  const masks = hasMasks
    ? [54, 58, 62].map((at) => view.getUint32(at, true))
    : bits === 16
      ? [0x7c00, 0x3e0, 0x1f]
      : [0xff0000, 0xff00, 0xff];
  const named = isCore ? 0 : view.getUint32(46, true);
  const count = bits <= 8 ? Math.min(named || 256, 1 << bits) : 0;
  const at = 14 + size + (hasMasks && size === 40 ? 12 : 0);
  const palette = { at, entry: isCore ? 3 : 4, count };
  return {
    width,
    height: Math.abs(height),
    down: height < 0,
    bits,
    compression,
    masks,
    palette,
    pixels: view.getUint32(10, true),
  };
}

function decodeBmp(bytes: Uint8Array, header: BmpHeader): Uint8Array<ArrayBuffer> {
  const { width, height, down, bits, compression } = header;
  if (compression === RLE8 || compression === RLE4) {
    return fromPalette(bytes, header, unpackRuns(bytes.subarray(header.pixels), header));
  }
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (header.pixels + stride * height > bytes.length) throw new ImageError('the BMP is cut off');
  const row = (y: number) => bytes.subarray(header.pixels + stride * (down ? y : height - 1 - y));
  if (bits <= 8) {
    const indices = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      const from = row(y);
      for (let x = 0; x < width; x++) {
        const bit = x * bits;
        indices[y * width + x] = (from[bit >> 3] >> (8 - bits - (bit & 7))) & ((1 << bits) - 1);
      }
    }
    return fromPalette(bytes, header, indices);
  }
  const rgb = new Uint8Array(width * height * 3);
  const channels = header.masks.map(channel);
  for (let y = 0; y < height; y++) {
    const from = row(y);
    for (let x = 0; x < width; x++) {
      let pixel = 0;
      for (let b = 0; b < bits / 8; b++) pixel |= from[(x * bits) / 8 + b] << (8 * b);
      for (let c = 0; c < 3; c++) rgb[(y * width + x) * 3 + c] = channels[c](pixel);
    }
  }
  return rgb;
}

/** The value of a mask's bits as 0 ... 255, rounded down as Pillow's unpackers do. */
function channel(mask: number): (pixel: number) => number {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const largest = mask >>> shift;
  return (pixel) => Math.floor((((pixel & mask) >>> shift) * 255) / largest);
}

/** Entries that the palette lacks are black. */
function fromPalette(
  bytes: Uint8Array,
  { palette }: BmpHeader,
  indices: Uint8Array,
): Uint8Array<ArrayBuffer> {
  if (palette.at + palette.entry * palette.count > bytes.length) throw new ImageError('the BMP is cut off');
  const colours = new Uint8Array(768);
  for (let i = 0; i < palette.count; i++) {
    const at = palette.at + palette.entry * i;
    colours.set([bytes[at + 2], bytes[at + 1], bytes[at]], i * 3);
  }
  const rgb = new Uint8Array(indices.length * 3);
  for (let i = 0; i < indices.length; i++)
    rgb.set(colours.subarray(indices[i] * 3, indices[i] * 3 + 3), i * 3);
  return rgb;
}

/** Colour indices of run-length coded rows (top row first); what the file jumps over is 0. */
function unpackRuns(data: Uint8Array, { width, height, down, compression }: BmpHeader): Uint8Array {
  const indices = new Uint8Array(width * height);
  const isNibbles = compression === RLE4;
  let [x, y, at] = [0, 0, 0];
  const put = (index: number) => {
    if (x < width && y < height) indices[(down ? y : height - 1 - y) * width + x] = index;
    x++;
  };
  /** index `i` of a stretch that begins at `from` */
  const literal = (from: number, i: number) =>
    isNibbles ? (data[from + (i >> 1)] >> (i % 2 === 0 ? 4 : 0)) & 15 : data[from + i];
  while (at + 2 <= data.length && y < height) {
    const [count, value] = [data[at], data[at + 1]];
    at += 2;
    if (count > 0) {
      for (let i = 0; i < count; i++) put(isNibbles ? (value >> (i % 2 === 0 ? 4 : 0)) & 15 : value);
    } else if (value === 0) {
      x = 0;
      y++;
    } else if (value === 1) {
      return indices;
    } else if (value === 2) {
      x += data[at];
      y += data[at + 1];
      at += 2;
    } else {
      for (let i = 0; i < value; i++) put(literal(at, i));
      // stretches take an even number of bytes
      const length = isNibbles ? Math.ceil(value / 2) : value;
      at += length + (length & 1);
    }
  }
  if (y < height) throw new ImageError('the BMP is cut off');
  return indices;
}
