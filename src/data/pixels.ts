import type { LabelledImages, PixelFile } from './types';

/** Bytes of one image. */
export const imageBytes = ({ height, width }: Pick<LabelledImages, 'height' | 'width'>): number =>
  height * width * 3;

/** Reads images, by number, one after the other into `into`. */
export async function readImages(
  set: Pick<LabelledImages, 'pixels' | 'height' | 'width'>,
  images: ArrayLike<number>,
  into: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const { pixels } = set;
  if (pixels instanceof Uint8Array) copyImages(pixels, imageBytes(set), images, into);
  else await pixels.read(images, into);
}

/** Copies images out of bytes that hold them one after the other. */
export function copyImages(
  pixels: Uint8Array,
  size: number,
  images: ArrayLike<number>,
  into: Uint8Array,
): void {
  for (let i = 0; i < images.length; i++)
    into.set(pixels.subarray(images[i] * size, (images[i] + 1) * size), i * size);
}

/** The images at those numbers, in that order, of the same file. */
export function partOf(file: PixelFile, numbers: readonly number[], size: number): PixelFile {
  return {
    bytes: numbers.length * size,
    place: file.place,
    read: (images, into) =>
      file.read(
        Array.from(images, (i) => numbers[i]),
        into,
      ),
    close: () => file.close(),
  };
}

/** Frees what sets keep in files. */
export async function closeImages(...sets: readonly Pick<LabelledImages, 'pixels'>[]): Promise<void> {
  for (const { pixels } of sets) if (!(pixels instanceof Uint8Array)) await pixels.close();
}
