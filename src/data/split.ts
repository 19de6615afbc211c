import { hash32 } from './order';
import type { LabelledImages } from './types';

/** Splits a tenth of the images off, chosen by the seed, the same for every method. Each part keeps the images' order. */
export function holdOut(images: LabelledImages, seed: number): [train: LabelledImages, test: LabelledImages] {
  const indices = Array.from({ length: images.count }, (_, i) => i);
  const ranked = indices.map((i) => [hash32(seed, 0x7e57, i), i]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const size = Math.max(1, Math.round(images.count / 10));
  const heldOut = new Set(ranked.slice(0, size).map(([, i]) => i));
  return [
    pick(
      images,
      indices.filter((i) => !heldOut.has(i)),
    ),
    pick(
      images,
      indices.filter((i) => heldOut.has(i)),
    ),
  ];
}

/** The images at those indices, in that order. */
function pick(images: LabelledImages, indices: number[]): LabelledImages {
  const size = images.height * images.width * 3;
  const pixels = new Uint8Array(indices.length * size);
  indices.forEach((from, to) => {
    pixels.set(images.pixels.subarray(from * size, (from + 1) * size), to * size);
  });
  return {
    ...images,
    pixels,
    labels: Uint16Array.from(indices, (i) => images.labels[i]),
    count: indices.length,
  };
}
