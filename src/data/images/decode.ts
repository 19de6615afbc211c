import { avif } from './avif';
import { bmp } from './bmp';
import { turnsSideways, turnUpright } from './exif';
import { foreignKind } from './foreign';
import { ImageError, type ImageFormat, MAX_PIXELS, type Size } from './format';
import { gif } from './gif';
import { jpeg } from './jpeg';
import { png } from './png';
import { pnm } from './pnm';
import { tiff } from './tiff';
import { webp } from './webp';

/** A decoded image. */
export interface RgbImage extends Size {
  /** height * width * 3 bytes, RGB, row by row */
  pixels: Uint8Array<ArrayBuffer>;
  /** how EXIF would have it turned, whether it was or not; 1: as it is stored */
  orientation: number;
}

/** What an image file says about itself before it is decoded. */
export interface ImageHeader extends Size {
  format: ImageFormat;
  /** EXIF's 1 to 8; 1: as it is stored */
  orientation: number;
}

const FORMATS: ImageFormat[] = [jpeg, png, webp, gif, bmp, tiff, avif, pnm];

/**
 * Reads format, size (as stored) and orientation without decoding, and refuses what must not reach a decoder: unknown
 * formats, cut-off JPEGs, more than MAX_PIXELS. Throws an ImageError.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  if (bytes.length === 0) throw new ImageError('the file is empty');
  const format = FORMATS.find(({ recognises }) => recognises(bytes));
  if (!format) throw new ImageError(foreignKind(bytes));
  const { width, height } = guarded(format, () => format.size(bytes));
  if (width < 1 || height < 1) throw new ImageError('the image is empty');
  if (width * height > MAX_PIXELS) {
    throw new ImageError(`${width}x${height} is above the limit of ${MAX_PIXELS / 1e6} megapixels`);
  }
  return { format, width, height, orientation: guarded(format, () => format.orientation?.(bytes) ?? 1) };
}

/** A header that sends us beyond the end of the file is that of a cut-off one. */
function guarded<T>({ name }: ImageFormat, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new ImageError(`the ${name} is cut off`);
    throw error;
  }
}

/**
 * Decodes an image to 8-bit RGB with the same code in browser and Node, to the bytes that Pillow's
 * `Image.open(f).convert('RGB')` gives: of animations the first frame; alpha and tRNS are dropped, so that a transparent
 * pixel has the colour that lies below; colour profiles are ignored. EXIF orientation is ignored too, as by torchvision's
 * loaders, unless `upright` is set. Exceptions: gray of 16 bits keeps its high byte, which Pillow clips to white.
 * Throws an ImageError with the reason.
 */
export async function decodeImage(
  bytes: Uint8Array<ArrayBuffer>,
  { upright = false }: { upright?: boolean } = {},
): Promise<RgbImage> {
  const { format, width, height, orientation } = readImageHeader(bytes);
  const pixels = await format.decode(bytes, { width, height });
  const image = { pixels, width, height };
  return { ...(upright ? turnUpright(image, orientation) : image), orientation };
}

/** The size that `decodeImage` gives. */
export function decodedSize({ width, height, orientation }: ImageHeader, upright: boolean): Size {
  return upright && turnsSideways(orientation) ? { width: height, height: width } : { width, height };
}
