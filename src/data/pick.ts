import { copyImages, imageBytes, partOf } from './pixels';
import type { ImageTruth, LabelledImages, Pixels } from './types';

/** The images at those indices, in that order. */
export function pick(images: LabelledImages, indices: number[]): LabelledImages {
  const { paths, pixels, labels, truth } = images;
  return {
    ...images,
    pixels: pickPixels(pixels, indices, imageBytes(images)),
    labels: Uint16Array.from(indices, (i) => labels[i]),
    paths: paths && indices.map((i) => paths[i]),
    ...(truth && { truth: pickTruth(truth, indices, images.height * images.width) }),
    count: indices.length,
  };
}

function pickTruth({ masks, objects }: ImageTruth, indices: number[], area: number): ImageTruth {
  const picked = new Uint8Array(indices.length * area);
  copyImages(masks, area, indices, picked);
  return { masks: picked, objects: indices.map((i) => objects[i]) };
}

function pickPixels(pixels: Pixels, indices: number[], size: number): Pixels {
  if (!(pixels instanceof Uint8Array)) return partOf(pixels, indices, size);
  const picked = new Uint8Array(indices.length * size);
  copyImages(pixels, size, indices, picked);
  return picked;
}
