import { imageBytes } from '../data/pixels';
import type { LabelledImages } from '../data/types';
import type { Gpu } from '../gpu/device';

/** Half a gigabyte: as much memory as a set may take on a GPU that does not tell how much it has. */
const MOST_BYTES = 2 ** 29;

/** Most bytes of a set that a GPU holds as a whole: what one binding takes, and no more than is fair. */
export const mostHeld = ({ device: { limits } }: Gpu): number =>
  Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize, MOST_BYTES);

/**
 * Images of a set that the GPU holds at a time: all, or where they are more than `most` bytes those of two batches, one that is
 * computed and one that is written meanwhile.
 */
export function heldImages(
  images: Pick<LabelledImages, 'count' | 'height' | 'width'>,
  batch: number,
  most = Number.POSITIVE_INFINITY,
): number {
  return images.count * imageBytes(images) <= most ? images.count : Math.min(2 * batch, images.count);
}
