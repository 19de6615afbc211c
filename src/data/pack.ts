import { FormatError } from '../io/format-error';
import type { SourceFile } from './files/tree';
import { decodedSize, decodeImage, readImageHeader } from './images/decode';
import { ImageError, type Size } from './images/format';
import { resizeAndCrop } from './images/resize';
import { allocate, breathe } from './raw/raster';
import type { LoadOptions, Resizing, SkippedFile } from './types';

/** One image file's bytes; a photograph has a few million. */
const MAX_FILE = 64 * 2 ** 20;
/** Largest side that is chosen without being asked for, pixels. */
const MAX_DEFAULT_SIDE = 224;

/** Decoded images of one size, one after the other. */
export interface Packed {
  pixels: Uint8Array<ArrayBuffer>;
  labels: Uint16Array<ArrayBuffer>;
  /** the file of each image, where each has one of its own */
  paths?: string[];
  /** the same text for images that are equal after decoding, before they are resized */
  digests: string[];
  count: number;
  skipped: SkippedFile[];
  /** images whose EXIF data would have them turned */
  rotated: number;
}

export interface PackOptions extends Resizing, Pick<LoadOptions, 'signal' | 'onProgress'> {
  size: Size;
  /** turn images as EXIF asks */
  upright: boolean;
}

/** Decodes image files one after the other; what cannot be decoded is skipped. */
export async function packFiles(
  name: string,
  files: SourceFile[],
  labels: number[],
  { size, upright, ...options }: PackOptions,
): Promise<Packed> {
  const { width, height } = size;
  const imageBytes = width * height * 3;
  const pixels = allocate(name, files.length, width, height);
  const kept = new Uint16Array(files.length);
  const packed = { paths: [] as string[], digests: [] as string[], skipped: [] as SkippedFile[], rotated: 0 };
  let count = 0;
  for (const [done, file] of files.entries()) {
    await breathe(options, { done, total: files.length });
    const image = await attempt(file, packed.skipped, async (bytes) => {
      const decoded = await decodeImage(bytes, { upright });
      const fits = decoded.width === width && decoded.height === height;
      const scaled = fits ? decoded.pixels : resizeAndCrop(decoded.pixels, decoded, size, options);
      return { scaled, digest: await digestOf(decoded.pixels, decoded), orientation: decoded.orientation };
    });
    if (!image) continue;
    pixels.set(image.scaled, count * imageBytes);
    packed.paths.push(file.path);
    packed.digests.push(image.digest);
    if (image.orientation !== 1) packed.rotated++;
    kept[count++] = labels[done];
  }
  options.onProgress?.({ done: files.length, total: files.length });
  return {
    ...packed,
    pixels: pixels.subarray(0, count * imageBytes),
    labels: kept.subarray(0, count),
    count,
  };
}

/** Half of SHA-256, and the size: pictures of the same bytes may have other sides. */
export async function digestOf(pixels: Uint8Array<ArrayBuffer>, { width, height }: Size): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', pixels);
  return `${width}x${height} ${btoa(String.fromCharCode(...new Uint8Array(digest, 0, 16)))}`;
}

/** Reads a file and does `work` with its bytes; a failure that lies in the file is noted in `skipped`. */
async function attempt<T>(
  file: SourceFile,
  skipped: SkippedFile[],
  work: (bytes: Uint8Array<ArrayBuffer>) => T | Promise<T>,
): Promise<T | undefined> {
  try {
    if (file.size > MAX_FILE) {
      throw new ImageError(
        `its ${Math.round(file.size / 1e6)} MB are above the limit of ${MAX_FILE >> 20} MiB`,
      );
    }
    return await work(await file.read());
  } catch (error) {
    if (!(error instanceof ImageError || error instanceof FormatError)) throw error;
    skipped.push({ path: file.path, reason: error.message });
    return undefined;
  }
}

/** A size that all images get, and a sentence that says why this one. */
export interface ChosenSize extends Size {
  why: string;
  /** files whose headers cannot be read */
  unreadable: SkippedFile[];
}

/**
 * The images' own size where all have the same and no side passes 224; else a square whose side is the median of
 * the shorter sides, rounded down to a multiple of 32, between 32 and 224. Read from headers, nothing is decoded.
 */
export async function commonSize(
  files: SourceFile[],
  { upright, signal }: Pick<PackOptions, 'upright' | 'signal'>,
): Promise<ChosenSize> {
  const shorter: number[] = [];
  const unreadable: SkippedFile[] = [];
  let common: Size | undefined;
  let same = true;
  for (const [done, file] of files.entries()) {
    await breathe({ signal }, { done, total: files.length });
    const header = await attempt(file, unreadable, readImageHeader);
    if (!header) continue;
    const size = decodedSize(header, upright);
    common ??= size;
    same &&= size.width === common.width && size.height === common.height;
    shorter.push(Math.min(size.width, size.height));
  }
  if (common && same && Math.max(common.width, common.height) <= MAX_DEFAULT_SIDE) {
    return { ...common, unreadable, why: `All images are ${common.width}x${common.height} and stay so.` };
  }
  shorter.sort((a, b) => a - b);
  const median = shorter[shorter.length >> 1] ?? 32;
  const side = Math.min(Math.max(Math.floor(median / 32) * 32, 32), MAX_DEFAULT_SIDE);
  return {
    width: side,
    height: side,
    unreadable,
    why: `Images are resized to ${side}x${side}, their middle square: the median of their shorter sides is ${median}, a multiple of 32 up to ${MAX_DEFAULT_SIDE} is taken (--image-size chooses another).`,
  };
}
