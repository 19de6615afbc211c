import { UserError } from '../../errors';
import type { LoadOptions, LoadProgress } from '../types';

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
  rgb(i: number): Uint8Array<ArrayBuffer>;
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
