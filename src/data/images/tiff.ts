import { cmykToRgb } from './cmyk';
import { orientationOf, turnsSideways, turnUpright } from './exif';
import { ImageError, type ImageFormat, MAX_PIXELS, repeatGray, type Size, viewOf } from './format';

/** The photometric interpretations that are read: what samples mean. */
const PHOTOMETRIC = { white: 0, gray: 1, rgb: 2, palette: 3, cmyk: 5, ycc: 6 };
/** Compression schemes for faxes. */
const FAX = [2, 3, 4];
const NAMED: Record<number, string> = {
  6: 'old JPEG',
  34712: 'JPEG 2000',
  34887: 'LERC',
  50000: 'Zstandard',
  50001: 'WebP',
};

/**
 * The first picture of a TIFF: gray, RGB, palette, CMYK, of 1 to 16 bits, in strips or tiles, uncompressed, LZW, deflate,
 * PackBits or JPEG. It is turned upright, as Pillow turns TIFFs whatever it does with JPEGs. Of 16 bits the high byte
 * stays. JPEG in TIFF may differ from Pillow by its smoothing of chroma.
 */
export const tiff: ImageFormat = {
  name: 'TIFF',
  recognises: (bytes) => {
    if (bytes.length < 14) return false;
    const start = viewOf(bytes).getUint32(0);
    return start === 0x49492a00 || start === 0x4d4d002a;
  },
  size(bytes) {
    const { width, height } = readFirstDirectory(bytes);
    return turnsSideways(orientationOf(bytes)) ? { width: height, height: width } : { width, height };
  },
  async decode(bytes) {
    const stored = readFirstDirectory(bytes);
    const pixels = await decodeStored(bytes, stored);
    return turnUpright({ ...stored, pixels }, orientationOf(bytes)).pixels;
  },
};

interface Directory extends Size {
  bits: number;
  photometric: number;
  samples: number;
}

/** Reads the tags that decide whether the library may have the file. */
function readFirstDirectory(bytes: Uint8Array): Directory {
  const view = viewOf(bytes);
  const little = view.getUint16(0) === 0x4949;
  const first = view.getUint32(4, little);
  if (first + 2 > bytes.length) throw new ImageError('the TIFF is cut off');
  const tags = new Map<number, number>();
  const count = view.getUint16(first, little);
  for (let i = 0, at = first + 2; i < count && at + 12 <= bytes.length; i++, at += 12) {
    const [type, values] = [view.getUint16(at + 2, little), view.getUint32(at + 4, little)];
    // no list is longer than the file, whatever the directory claims; nor is any allocated before this is known
    if (values > bytes.length) throw new ImageError('the TIFF is damaged');
    const size = type === 3 ? 2 : type === 4 ? 4 : 0;
    if (size === 0 || values === 0) continue;
    const place = values * size <= 4 ? at + 8 : view.getUint32(at + 8, little);
    if (place + size > bytes.length) throw new ImageError('the TIFF is cut off');
    tags.set(
      view.getUint16(at, little),
      size === 2 ? view.getUint16(place, little) : view.getUint32(place, little),
    );
  }
  const [width, height] = [tags.get(256) ?? 0, tags.get(257) ?? 0];
  const compression = tags.get(259) ?? 1;
  if (FAX.includes(compression))
    throw new ImageError('TIFFs with fax compression are not read; save it as PNG');
  if (![1, 5, 7, 8, 32773, 32946].includes(compression)) {
    throw new ImageError(
      `TIFFs with ${NAMED[compression] ?? `compression ${compression}`} are not read; save it as PNG`,
    );
  }
  const [bits, samples] = [tags.get(258) ?? 1, tags.get(277) ?? 1];
  const isFloat = (tags.get(339) ?? 1) !== 1;
  if (isFloat || bits > 16)
    throw new ImageError(
      `TIFFs with samples of ${bits} bits${isFloat ? ', signed or floating,' : ''} are not read; save it with 8 bits`,
    );
  const photometric = tags.get(262) ?? PHOTOMETRIC.gray;
  const wanted = { 2: 3, 5: 4, 6: 3 }[photometric] ?? 1;
  if (
    !Object.values(PHOTOMETRIC).includes(photometric) ||
    (photometric === PHOTOMETRIC.ycc && compression !== 7)
  ) {
    throw new ImageError(`TIFFs of colour kind ${photometric} are not read; save it as PNG`);
  }
  if (samples < wanted || samples > 8) throw new ImageError('the TIFF is damaged');
  // a tile may be larger than the picture
  const [tileWidth, tileHeight] = [tags.get(322) ?? 0, tags.get(323) ?? 0];
  if (tileWidth * tileHeight > MAX_PIXELS) throw new ImageError('the TIFF has tiles above the limit');
  return { width, height, bits, photometric, samples };
}

async function decodeStored(
  bytes: Uint8Array<ArrayBuffer>,
  directory: Directory,
): Promise<Uint8Array<ArrayBuffer>> {
  const { fromArrayBuffer } = await import('geotiff');
  let samples: ArrayLike<number>;
  try {
    const exact = bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
    const image = await (await fromArrayBuffer(exact)).getImage(0);
    const isConverted =
      directory.photometric === PHOTOMETRIC.palette || directory.photometric === PHOTOMETRIC.ycc;
    samples = (isConverted
      ? await image.readRGB({ interleave: true })
      : await image.readRasters({ interleave: true })) as unknown as ArrayLike<number>;
    if (isConverted) return Uint8Array.from(samples);
  } catch {
    throw new ImageError('the TIFF is damaged');
  }
  return toRgb(samples, directory);
}

function toRgb(
  samples: ArrayLike<number>,
  { bits, photometric, samples: stride }: Directory,
): Uint8Array<ArrayBuffer> {
  const count = samples.length / stride;
  const largest = (1 << bits) - 1;
  const to8 = (value: number) =>
    bits === 16 ? value >> 8 : bits === 8 ? value : Math.round((value * 255) / largest);
  const plane = (c: number) => Uint8Array.from({ length: count }, (_, i) => to8(samples[i * stride + c]));
  if (photometric === PHOTOMETRIC.cmyk) return cmykToRgb([0, 1, 2, 3].map(plane));
  if (photometric === PHOTOMETRIC.rgb) {
    const planes = [0, 1, 2].map(plane);
    return Uint8Array.from({ length: count * 3 }, (_, i) => planes[i % 3][Math.floor(i / 3)]);
  }
  const gray = plane(0);
  return repeatGray(photometric === PHOTOMETRIC.white ? gray.map((value) => 255 - value) : gray);
}
