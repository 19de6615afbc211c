import type { LabelledImages, PixelFile } from './types';

/** Bytes of one image. */
export const imageBytes = ({ height, width }: Pick<LabelledImages, 'height' | 'width'>): number =>
  height * width * 3;

/** What a network sees of each image, in pixels. */
export const cropOf = ({ crop, height, width }: Pick<LabelledImages, 'crop' | 'height' | 'width'>) =>
  crop ?? { top: 0, left: 0, height, width };

/** What a network sees of images that lie one after the other: their crops, cut out. */
export function croppedImages(
  set: Pick<LabelledImages, 'crop' | 'height' | 'width'>,
  pixels: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const { crop, height, width } = set;
  if (!crop) return pixels;
  const line = crop.width * 3;
  const count = pixels.length / imageBytes(set);
  const out = new Uint8Array(count * crop.height * line);
  for (let row = 0; row < count * crop.height; row++) {
    const image = Math.floor(row / crop.height);
    const from = ((image * height + crop.top + (row % crop.height)) * width + crop.left) * 3;
    out.set(pixels.subarray(from, from + line), row * line);
  }
  return out;
}

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

/** Means or deviations of red, green and blue for a network of so many channels: of one, the mean of the three. */
export const ofChannels = (values: readonly number[], channels: 1 | 3): readonly number[] =>
  channels === 1 ? [values.reduce((a, b) => a + b, 0) / values.length] : values;
