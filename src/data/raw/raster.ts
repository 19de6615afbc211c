import type { LoadOptions, LoadProgress } from '../types';

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

/** Now and then reports progress and returns to the event loop; throws the signal's reason once it is aborted. */
export async function breathe(options: LoadOptions, progress: LoadProgress): Promise<void> {
  options.signal?.throwIfAborted();
  if (progress.done % BREATH !== 0) return;
  options.onProgress?.(progress);
  await new Promise((resolve) => setTimeout(resolve, 0));
  options.signal?.throwIfAborted();
}
