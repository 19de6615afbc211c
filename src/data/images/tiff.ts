import { inflateBounded } from '../inflate';
import { cmykToRgb } from './cmyk';
import { orientationOf, turnsSideways, turnUpright } from './exif';
import { ImageError, type ImageFormat, MAX_PIXELS, repeatGray, type Size, viewOf } from './format';
import { jpeg } from './jpeg';
import { type Unpack, undoDifferences, unpackBits, unpackLzw } from './tiff-codecs';
import { decodeInWasm } from './wasm';

/** What samples mean: the photometric interpretations that are read, and how many samples each takes of a pixel. */
const WHITE_IS_ZERO = 0;
const RGB = 2;
const PALETTE = 3;
const CMYK = 5;
const YCC = 6;
const SAMPLES: Record<number, number> = {
  [WHITE_IS_ZERO]: 1,
  1: 1,
  [RGB]: 3,
  [PALETTE]: 1,
  [CMYK]: 4,
  [YCC]: 3,
};

const JPEG = 7;
const REFUSED: Record<number, string> = {
  2: 'fax compression',
  3: 'fax compression',
  4: 'fax compression',
  6: 'JPEG of the old kind',
  34712: 'JPEG 2000',
  50000: 'Zstandard',
  50001: 'WebP',
};

const UNPACK: Record<number, Unpack> = {
  1: (data, limit) => data.subarray(0, limit),
  5: unpackLzw,
  8: inflate,
  32773: unpackBits,
  32946: inflate,
};

/**
 * The first picture of a TIFF: gray, RGB, palette, CMYK or the JPEGs in it, of 1 to 16 bits, in strips or tiles, plain, LZW,
 * deflate, PackBits or JPEG. It is turned upright, as Pillow turns TIFFs whatever it does with JPEGs; of 16 bits the high
 * byte stays. Our own, because the libraries for it unpack without bounds.
 */
export const tiff: ImageFormat = {
  name: 'TIFF',
  recognises: (bytes) => {
    if (bytes.length < 14) return false;
    const start = viewOf(bytes).getUint32(0);
    return start === 0x49492a00 || start === 0x4d4d002a;
  },
  size(bytes) {
    const { width, height } = readPicture(bytes);
    return turnsSideways(orientationOf(bytes)) ? { width: height, height: width } : { width, height };
  },
  async decode(bytes) {
    const picture = readPicture(bytes);
    const pixels = toRgb(picture, await readPlanes(bytes, picture));
    return turnUpright({ pixels, width: picture.width, height: picture.height }, orientationOf(bytes)).pixels;
  },
};

/** The values of the first directory's tags, those that are whole numbers. */
type Tags = Map<number, number[]>;

function readTags(bytes: Uint8Array): { tags: Tags; little: boolean } {
  const view = viewOf(bytes);
  const little = view.getUint16(0) === 0x4949;
  const first = view.getUint32(4, little);
  const tags: Tags = new Map();
  const sizes: Record<number, number> = { 1: 1, 3: 2, 4: 4, 7: 1 };
  for (let i = 0, at = first + 2; i < view.getUint16(first, little); i++, at += 12) {
    const [tag, type, count] = [
      view.getUint16(at, little),
      view.getUint16(at + 2, little),
      view.getUint32(at + 4, little),
    ];
    const size = sizes[type];
    if (!size) continue;
    const place = count * size <= 4 ? at + 8 : view.getUint32(at + 8, little);
    // before any room is made for what a directory claims
    if (place + count * size > bytes.length) throw new ImageError('the TIFF is cut off');
    const read = (k: number) =>
      size === 1
        ? bytes[place + k]
        : size === 2
          ? view.getUint16(place + 2 * k, little)
          : view.getUint32(place + 4 * k, little);
    tags.set(
      tag,
      Array.from({ length: count }, (_, k) => read(k)),
    );
  }
  return { tags, little };
}

interface Picture extends Size {
  little: boolean;
  bits: number;
  photometric: number;
  compression: number;
  /** samples of a pixel, and how many of them are read: those beyond are alpha */
  samples: number;
  read: number;
  /** each sample has strips or tiles of its own */
  isPlanar: boolean;
  isDifferences: boolean;
  /** of strips and tiles */
  chunk: Size;
  offsets: number[];
  lengths: number[];
  palette: number[];
  jpegTables: Uint8Array;
}

/** Reads what a picture is made of, and refuses what is not read. */
function readPicture(bytes: Uint8Array): Picture {
  const { tags, little } = readTags(bytes);
  const one = (tag: number, fallback: number) => tags.get(tag)?.[0] ?? fallback;
  const [width, height] = [one(256, 0), one(257, 0)];
  const compression = one(259, 1);
  if (!UNPACK[compression] && compression !== JPEG) {
    throw new ImageError(
      `TIFFs with ${REFUSED[compression] ?? `compression ${compression}`} are not read; save it as PNG`,
    );
  }
  const [bits, samples, photometric] = [one(258, 1), one(277, 1), one(262, 1)];
  const isWhole = one(339, 1) === 1 && one(266, 1) === 1;
  if (!isWhole || ![1, 2, 4, 8, 16].includes(bits) || new Set(tags.get(258)).size > 1) {
    throw new ImageError(
      `TIFFs with samples of ${bits} bits${isWhole ? '' : ', not whole numbers,'} are not read; save it with 8 bits`,
    );
  }
  const read = SAMPLES[photometric];
  if (
    !read ||
    (photometric === YCC && compression !== JPEG) ||
    (photometric === CMYK && compression === JPEG)
  ) {
    throw new ImageError(
      `TIFFs of colour kind ${photometric} and compression ${compression} are not read; save it as PNG`,
    );
  }
  const isTiled = tags.has(322);
  const chunk = isTiled
    ? { width: one(322, 0), height: one(323, 0) }
    : { width, height: Math.min(one(278, height), height) };
  const predictor = one(317, 1);
  if (
    samples < read ||
    samples > 8 ||
    chunk.width < 1 ||
    chunk.height < 1 ||
    predictor > 2 ||
    (predictor === 2 && bits < 8)
  ) {
    throw new ImageError('the TIFF is damaged, or of an unusual kind');
  }
  const padded =
    Math.ceil(width / chunk.width) * chunk.width * Math.ceil(height / chunk.height) * chunk.height;
  if (padded * samples > 8 * MAX_PIXELS) throw new ImageError('the TIFF has tiles above the limit');
  const list = (tag: number) => tags.get(tag) ?? [];
  return {
    ...{ width, height, little, bits, photometric, compression, samples, read, chunk },
    isPlanar: one(284, 1) === 2 && samples > 1,
    isDifferences: predictor === 2,
    offsets: list(isTiled ? 324 : 273),
    lengths: list(isTiled ? 325 : 279),
    palette: list(320),
    jpegTables: Uint8Array.from(list(347)),
  };
}

/** The samples that are read, of all pixels, a plane each; of 8 bits unless they are indices of a palette. */
async function readPlanes(bytes: Uint8Array, picture: Picture): Promise<Uint8Array[]> {
  const { width, height, chunk, read, isPlanar, compression } = picture;
  const planes = Array.from({ length: read }, () => new Uint8Array(width * height));
  const across = Math.ceil(width / chunk.width);
  const count = across * Math.ceil(height / chunk.height);
  for (let i = 0; i < count * (isPlanar ? read : 1); i++) {
    const [x, y] = [((i % count) % across) * chunk.width, Math.floor((i % count) / across) * chunk.height];
    const size = { width: Math.min(chunk.width, width - x), height: Math.min(chunk.height, height - y) };
    const target = {
      planes: isPlanar ? [planes[Math.floor(i / count)]] : planes,
      x,
      y,
      width: size.width,
      height: size.height,
    };
    const [offset, length] = [picture.offsets[i], picture.lengths[i]];
    if (offset === undefined || length === undefined || offset + length > bytes.length)
      throw new ImageError('the TIFF is cut off');
    const data = bytes.subarray(offset, offset + length);
    if (compression === JPEG) await drawJpeg(data, picture, target);
    else drawSamples(data, picture, target);
  }
  return planes;
}

/** Where a strip or tile goes, without what it has beyond the picture. */
interface Target extends Size {
  planes: Uint8Array[];
  x: number;
  y: number;
}

function drawSamples(data: Uint8Array, picture: Picture, { planes, x, y, width, height }: Target): void {
  const { bits, chunk, compression, isPlanar, isDifferences, little, photometric } = picture;
  const stride = isPlanar ? 1 : picture.samples;
  const rowBytes = Math.ceil((chunk.width * stride * bits) / 8);
  // a copy, for the differences are undone in place
  const rows = UNPACK[compression](data, rowBytes * height).slice();
  if (rows.length < rowBytes * height) throw new ImageError('the TIFF is cut off');
  const scale = photometric === PALETTE ? 1 : 255 / ((1 << Math.min(bits, 8)) - 1);
  for (let row = 0; row < height; row++) {
    const line = rows.subarray(row * rowBytes, (row + 1) * rowBytes);
    if (isDifferences) undoDifferences(line, stride, bits, little);
    for (let column = 0; column < width; column++) {
      for (const [s, plane] of planes.entries()) {
        plane[(y + row) * picture.width + x + column] =
          sampleAt(line, column * stride + s, bits, little) * scale;
      }
    }
  }
}

/** Of 16 bits the high byte. */
function sampleAt(line: Uint8Array, i: number, bits: number, little: boolean): number {
  if (bits === 8) return line[i];
  if (bits === 16) return line[2 * i + (little ? 1 : 0)];
  const bit = i * bits;
  return (line[bit >> 3] >> (8 - bits - (bit & 7))) & ((1 << bits) - 1);
}

/** A strip or tile that is a JPEG, whose tables may stand apart; Adobe's marker tells the decoder what the colours are. */
async function drawJpeg(
  data: Uint8Array,
  picture: Picture,
  { planes, x, y, width, height }: Target,
): Promise<void> {
  const { jpegTables, photometric, chunk } = picture;
  const marker = [
    0xff,
    0xee,
    0,
    14,
    ...[...'Adobe'].map((c) => c.charCodeAt(0)),
    0,
    100,
    0,
    0,
    0,
    0,
    photometric === YCC ? 1 : 0,
  ];
  const tables = jpegTables.length > 4 ? jpegTables.subarray(2, -2) : [];
  const file = Uint8Array.from([
    0xff,
    0xd8,
    ...(planes.length === 3 ? marker : []),
    ...tables,
    ...data.subarray(2),
  ]);
  const size = jpeg.size(file);
  if (size.width < width || size.height < height || size.width > chunk.width || size.height > chunk.height) {
    throw new ImageError('the TIFF is damaged');
  }
  const rgba = await decodeInWasm('jpeg', file, size);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (row * size.width + column) * 4;
      const to = (y + row) * picture.width + x + column;
      for (const [s, plane] of planes.entries()) plane[to] = rgba[from + s];
    }
  }
}

function toRgb({ photometric, palette, bits }: Picture, planes: Uint8Array[]): Uint8Array<ArrayBuffer> {
  if (photometric === CMYK) return cmykToRgb(planes);
  const [first] = planes;
  if (photometric === WHITE_IS_ZERO) return repeatGray(first.map((value) => 255 - value));
  if (planes.length === 1 && photometric !== PALETTE) return repeatGray(first);
  const rgb = new Uint8Array(first.length * 3);
  for (let i = 0; i < first.length; i++) {
    for (let c = 0; c < 3; c++) {
      // palettes have 16 bits, all reds before all greens
      rgb[i * 3 + c] = photometric === PALETTE ? (palette[(c << bits) + first[i]] ?? 0) >> 8 : planes[c][i];
    }
  }
  return rgb;
}

function inflate(data: Uint8Array, limit: number): Uint8Array {
  const excess = () => new ImageError('the TIFF is damaged');
  try {
    // what lies behind the last row is ignored, but not without end
    return inflateBounded(data, 'zlib', limit + 65536, excess).subarray(0, limit);
  } catch (error) {
    throw error instanceof ImageError ? error : new ImageError('the TIFF is damaged');
  }
}
