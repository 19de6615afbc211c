import { imageBytes } from '../data/pixels';
import type { LabelledImages } from '../data/types';
import type { Gpu } from '../gpu/device';

/** Half a gigabyte: as much memory as a set may take on a GPU that does not tell how much it has. */
const MOST_BYTES = 2 ** 29;

/** Most bytes of a set that a GPU holds as a whole: what one binding takes, and no more than is fair. */
export const mostHeld = ({ device: { limits } }: Gpu): number =>
  Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize, MOST_BYTES);

/**
 * Images of a batch in an evaluation: as many as fill a device, 128 of up to 64 x 64 pixels, and fewer of larger ones, whose
 * activations would take more memory than a step of the training.
 */
export const evaluationRows = ({
  count,
  height,
  width,
}: Pick<LabelledImages, 'count' | 'height' | 'width'>) =>
  Math.min(128, count, Math.max(16, Math.floor((128 * 64 * 64) / (height * width))));

/** Images of a set, and how many of them the GPU holds at a time. */
export interface Held {
  images: number;
  held: number;
}

/** One sentence on sets that are streamed; nothing where the GPU holds them all. */
export function heldSentence(sets: { train: Held; test: Held }): string | undefined {
  const streamed = (['train', 'test'] as const).filter((set) => sets[set].held < sets[set].images);
  if (streamed.length === 0) return undefined;
  const names = { train: 'training', test: 'test' };
  const parts = streamed.map(
    (set) => `${names[set]} images, ${sets[set].held} of ${sets[set].images} at a time`,
  );
  return `Streamed to the GPU ahead of each step: ${parts.join('; ')}.`;
}

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
