import { UserError } from '../../errors';
import { FormatError } from '../../io/format-error';
import type { SourceFile } from '../files/archive';
import { decodeImage, readImageHeader } from '../images/decode';
import { ImageError } from '../images/format';
import { resizeAndCrop } from '../images/resize';
import { allocate, breathe } from '../raw/raster';
import { selectBalanced } from '../select';
import type { LabelledImages, LoadOptions, SkippedFile } from '../types';
import type { ClassifiedFiles } from './classes';

/** One image file's bytes; a photograph has a few million. */
const MAX_FILE = 64 * 2 ** 20;
/** Largest side that is chosen without being asked for, pixels. */
const MAX_DEFAULT_SIDE = 224;

/**
 * Decodes image files one after the other into an array of one size; what cannot be decoded is skipped. Throws a
 * UserError if nothing, or nothing of a class, can be.
 */
export async function packFolder(set: ClassifiedFiles, options: LoadOptions): Promise<LabelledImages> {
  const chosen = selectBalanced(set.labels, options.limit ?? 0, options.seed ?? 0);
  const files = chosen.map((i) => set.files[i]);
  const size = options.size
    ? { width: options.size, height: options.size }
    : await commonSize(files, options);
  const { width, height } = size;
  const imageBytes = width * height * 3;
  const pixels = allocate(set.name, files.length, width, height);
  const labels = new Uint16Array(files.length);
  const skipped = [...set.skipped];
  let count = 0;
  for (const [done, file] of files.entries()) {
    await breathe(options, { done, total: files.length });
    const image = await attempt(file, skipped, async (bytes) => {
      const decoded = await decodeImage(bytes);
      const fits = decoded.width === width && decoded.height === height;
      return fits ? decoded.pixels : resizeAndCrop(decoded.pixels, decoded.width, decoded.height, width);
    });
    if (!image) continue;
    pixels.set(image, count * imageBytes);
    labels[count++] = set.labels[chosen[done]];
  }
  options.onProgress?.({ done: files.length, total: files.length });
  const kept = labels.subarray(0, count);
  requireEveryClass(set, kept, skipped);
  return {
    pixels: pixels.subarray(0, count * imageBytes),
    labels: kept,
    count,
    height,
    width,
    classes: set.classes,
    skipped,
  };
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

/**
 * The images' own size where all have the same and no side passes 224; else a square whose side is the median of
 * the shorter sides, rounded down to a multiple of 32, between 32 and 224. Read from headers, nothing is decoded.
 */
async function commonSize(
  files: SourceFile[],
  options: LoadOptions,
): Promise<{ width: number; height: number }> {
  const shorter: number[] = [];
  let common: { width: number; height: number } | undefined;
  let same = true;
  for (const [done, file] of files.entries()) {
    await breathe({ signal: options.signal }, { done, total: files.length });
    // broken files are noted when they are decoded, not here
    const header = await attempt(file, [], readImageHeader);
    if (!header) continue;
    common ??= header;
    same &&= header.width === common.width && header.height === common.height;
    shorter.push(Math.min(header.width, header.height));
  }
  if (common && same && Math.max(common.width, common.height) <= MAX_DEFAULT_SIDE) return common;
  shorter.sort((a, b) => a - b);
  const median = shorter[shorter.length >> 1] ?? 32;
  const side = Math.min(Math.max(Math.floor(median / 32) * 32, 32), MAX_DEFAULT_SIDE);
  return { width: side, height: side };
}

function requireEveryClass(set: ClassifiedFiles, labels: Uint16Array, skipped: SkippedFile[]): void {
  const first = skipped[0];
  const example = first ? ` (${first.path}: ${first.reason})` : '';
  if (labels.length === 0) {
    throw new UserError(
      `None of the images of ${set.name} can be read${example}; use JPEG, PNG or WebP files.`,
    );
  }
  const present = new Set(labels);
  const wanted = new Set(set.labels);
  for (const label of wanted) {
    if (present.has(label)) continue;
    throw new UserError(
      `Class '${set.classes[label]}' of ${set.name} has no image that can be read${example}; replace its images or raise the limit.`,
    );
  }
}
