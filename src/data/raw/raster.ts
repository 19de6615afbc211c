import { UserError } from '../../errors';
import { resizeAndCrop } from '../images/resize';
import { selectBalanced } from '../select';
import type { LabelledImages, LoadOptions, LoadProgress } from '../types';

/** An array of more bytes than this is beyond some browsers. */
const MAX_BYTES = 2 ** 31 - 1;
/** How many images go by between two messages; each also lets a waiting `cancel` in. */
const BREATH = 200;

/** Images of one size that are in memory in their format's own layout. */
export interface RawSet {
  name: string;
  classes: string[];
  labels: Uint8Array;
  width: number;
  height: number;
  /** image `i` as height * width * 3 bytes, RGB */
  rgb(i: number): Uint8Array;
}

/** Packs the images that the options ask for. */
export async function packRaw(raw: RawSet, options: LoadOptions): Promise<LabelledImages> {
  const chosen = selectBalanced(raw.labels, options.limit ?? 0, options.seed ?? 0);
  const width = options.size || raw.width;
  const height = options.size || raw.height;
  const pixels = allocate(raw.name, chosen.length, width, height);
  const labels = new Uint16Array(chosen.length);
  for (const [at, index] of chosen.entries()) {
    await breathe(options, { done: at, total: chosen.length });
    const rgb = raw.rgb(index);
    const fits = width === raw.width && height === raw.height;
    pixels.set(fits ? rgb : resizeAndCrop(rgb, raw.width, raw.height, width), at * width * height * 3);
    labels[at] = raw.labels[index];
  }
  options.onProgress?.({ done: chosen.length, total: chosen.length });
  return { pixels, labels, count: chosen.length, height, width, classes: raw.classes, skipped: [] };
}

/** Room for `count` RGB images. Throws a UserError where that is more than an array can hold. */
export function allocate(
  name: string,
  count: number,
  width: number,
  height: number,
): Uint8Array<ArrayBuffer> {
  const bytes = count * width * height * 3;
  if (bytes <= MAX_BYTES) return new Uint8Array(bytes);
  const gibibytes = (bytes / 2 ** 30).toFixed(1);
  throw new UserError(
    `${name}: ${count} images of ${width}x${height} need ${gibibytes} GiB, above the limit of 2 GiB; choose a smaller image size or limit the number of images.`,
  );
}

/** Now and then reports progress and returns to the event loop; throws the signal's reason once it is aborted. */
export async function breathe(options: LoadOptions, progress: LoadProgress): Promise<void> {
  options.signal?.throwIfAborted();
  if (progress.done % BREATH !== 0) return;
  options.onProgress?.(progress);
  await new Promise((resolve) => setTimeout(resolve, 0));
  options.signal?.throwIfAborted();
}
