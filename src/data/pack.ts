import { FormatError, nameFile } from '../io/format-error';
import { openDecoder } from './decode/pool';
import { digestOf, type Preparation } from './decode/prepare';
import type { SourceFile } from './files/tree';
import { decodedSize, readImageHeader } from './images/decode';
import { ImageError, type Size } from './images/format';
import { inOrder } from './in-order';
import { imageBytes } from './pixels';
import { breathe } from './raw/raster';
import { openSink } from './store/sink';
import type { LoadOptions, Pixels, SkippedFile } from './types';

/** One image file's bytes; a photograph has a few million. */
const MAX_FILE = 64 * 2 ** 20;
/** Largest side that is chosen without being asked for, pixels. */
const MAX_DEFAULT_SIDE = 224;

/** Decoded images of one size, one after the other. */
export interface Packed {
  pixels: Pixels;
  labels: Uint16Array<ArrayBuffer>;
  /** the file of each image, where each has one of its own */
  paths?: string[];
  /** the same text for images that are equal after decoding, before they are resized */
  digests: string[];
  count: number;
  skipped: SkippedFile[];
  /** images whose EXIF data would have them turned */
  rotated: number;
  /** whether an image had another size, or is cropped */
  resized: boolean;
}

export interface PackOptions extends Preparation, Pick<LoadOptions, 'signal' | 'onProgress'> {
  /** keep the decoded images in a file, where there is such a thing */
  inFile?: boolean;
}

/** Decodes image files on all cores; what cannot be decoded is skipped. */
export async function packFiles(
  name: string,
  files: SourceFile[],
  labels: number[],
  { inFile, signal, onProgress, ...preparation }: PackOptions,
): Promise<Packed> {
  const sink = await openSink({ name, count: files.length, size: imageBytes(preparation.size), inFile });
  const decoder = await openDecoder(files.length);
  const kept = new Uint16Array(files.length);
  const packed = {
    paths: [] as string[],
    digests: [] as string[],
    skipped: [] as SkippedFile[],
    rotated: 0,
    resized: false,
  };
  let count = 0;
  let done = 0;
  try {
    const decode = async (file: SourceFile) => ({
      file,
      ...(await attempt(file, (bytes) => decoder.prepare(bytes, preparation))),
    });
    for await (const { file, result, skipped } of inOrder(files, decoder.atOnce, decode)) {
      await breathe({ signal, onProgress }, { done, total: files.length });
      const label = labels[done++];
      if (skipped) packed.skipped.push(skipped);
      if (!result) continue;
      await sink.push(result.pixels);
      packed.paths.push(file.path);
      packed.digests.push(result.digest);
      if (result.orientation !== 1) packed.rotated++;
      packed.resized ||= result.resized;
      kept[count++] = label;
    }
    onProgress?.({ done: files.length, total: files.length });
    return { ...packed, pixels: await sink.finish(), labels: kept.subarray(0, count), count };
  } catch (error) {
    await sink.abandon();
    throw error;
  } finally {
    decoder.close();
  }
}

/** Reads a file and does `work` with its bytes, or finds that the file is no good. */
async function attempt<T>(
  file: SourceFile,
  work: (bytes: Uint8Array<ArrayBuffer>) => T | Promise<T>,
): Promise<{ result?: T; skipped?: SkippedFile }> {
  try {
    if (file.size > MAX_FILE) {
      throw new ImageError(
        `its ${Math.round(file.size / 1e6)} MB are above the limit of ${MAX_FILE >> 20} MiB`,
      );
    }
    return { result: await work(await nameFile(file.path, () => file.read())) };
  } catch (error) {
    if (!(error instanceof ImageError || error instanceof FormatError)) throw error;
    return { skipped: { path: file.path, reason: error.message } };
  }
}

/** What files tell before any is decoded. */
export interface Look {
  /** files that are no images, or whose headers cannot be read */
  unreadable: SkippedFile[];
  /** paths of images that EXIF data would have turned */
  rotated: string[];
  /** a text that files of the same bytes share, in the files' order; absent where a file cannot be read */
  digests: (string | undefined)[];
}

/** Reads each file once. */
export async function lookAtFiles(
  files: SourceFile[],
  { signal }: Pick<PackOptions, 'signal'>,
): Promise<Look> {
  const look: Look = { unreadable: [], rotated: [], digests: [] };
  for (const [done, file] of files.entries()) {
    await breathe({ signal }, { done, total: files.length });
    const { result, skipped } = await attempt(file, async (bytes) => {
      const header = readImageHeader(bytes);
      return { header, digest: await digestOf(bytes, header) };
    });
    if (skipped) look.unreadable.push(skipped);
    if (result && result.header.orientation !== 1) look.rotated.push(file.path);
    look.digests.push(result?.digest);
  }
  return look;
}

/** A size that all images get, and a sentence that says why this one. */
export interface ChosenSize extends Size {
  why: string;
  /** it is that of all images, which stay as they are */
  own?: boolean;
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
    const { result: header, skipped } = await attempt(file, readImageHeader);
    if (skipped) unreadable.push(skipped);
    if (!header) continue;
    const size = decodedSize(header, upright);
    common ??= size;
    same &&= size.width === common.width && size.height === common.height;
    shorter.push(Math.min(size.width, size.height));
  }
  if (common && same && Math.max(common.width, common.height) <= MAX_DEFAULT_SIDE) {
    return {
      ...common,
      own: true,
      unreadable,
      why: `All images are ${common.width}x${common.height} and stay so.`,
    };
  }
  shorter.sort((a, b) => a - b);
  const median = shorter[shorter.length >> 1] ?? 32;
  const side = Math.min(Math.max(Math.floor(median / 32) * 32, 32), MAX_DEFAULT_SIDE);
  return {
    width: side,
    height: side,
    unreadable,
    why: `Images are resized to ${side}x${side}: the median of their shorter sides is ${median}, a multiple of 32 up to ${MAX_DEFAULT_SIDE} is taken (--image-size chooses another).`,
  };
}
