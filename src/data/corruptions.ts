/** Images made worse on purpose, to see what a network bears: noise, blur, less contrast, at five strengths each. */
import { Random } from './random';
import type { ImagesInMemory } from './types';

/** What is done to an image's RGB bytes at a strength, and what the strengths are called. */
export interface Corruption {
  /** what a strength says */
  unit: string;
  strengths: readonly number[];
  apply(image: Uint8Array, size: ImageSize, strength: number, random: Random): void;
}

export interface ImageSize {
  height: number;
  width: number;
}

export const corruptions = {
  noise: {
    unit: 'standard deviation of the noise, of the range of a value',
    strengths: [0.04, 0.08, 0.12, 0.18, 0.26],
    apply: addNoise,
  },
  blur: {
    unit: 'standard deviation of the Gaussian blur, of the shorter side',
    strengths: [0.0125, 0.02, 0.03, 0.04, 0.05],
    apply: blur,
  },
  contrast: {
    unit: 'share of the contrast that is left',
    strengths: [0.75, 0.5, 0.4, 0.3, 0.15],
    apply: lowerContrast,
  },
} satisfies Record<string, Corruption>;

export type CorruptionName = keyof typeof corruptions;

/** A copy of a set with every image corrupted; an image's noise depends on seed, strength and its number alone. */
export function corrupted(
  set: ImagesInMemory,
  name: CorruptionName,
  level: number,
  seed: number,
): ImagesInMemory {
  const { apply, strengths }: Corruption = corruptions[name];
  const pixels = set.pixels.slice();
  const bytes = pixels.length / set.count;
  for (let i = 0; i < set.count; i++)
    apply(pixels.subarray(i * bytes, (i + 1) * bytes), set, strengths[level], new Random(seed, level, i));
  return { ...set, pixels };
}

/** Normal noise, a value a pixel and channel, rounded and held within 0 to 255. */
function addNoise(image: Uint8Array, _: ImageSize, strength: number, random: Random): void {
  for (let i = 0; i < image.length; i++) image[i] = toByte(image[i] + 255 * strength * normal(random));
}

/** The variance of a byte's value is (256^2 - 1) / 12, so that of the sum of twelve is this. */
const OF_TWELVE = 256 ** 2 - 1;

/** Twelve random bytes add up to a nearly normal number: whole numbers, so the same on every machine. */
function normal(random: Random): number {
  let sum = 0;
  for (let word = 0; word < 3; word++) {
    const bits = random.uint32();
    sum += (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
  }
  return (sum - 12 * 127.5) / Math.sqrt(OF_TWELVE);
}

/** A Gaussian blur along rows, then columns, out to three deviations; beyond its edge an image goes on as it ends. */
function blur(image: Uint8Array, { height, width }: ImageSize, strength: number): void {
  const deviation = strength * Math.min(height, width);
  const reach = Math.ceil(3 * deviation);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)),
  );
  const total = weights.reduce((a, b) => a + b, 0);
  const pass = (from: ArrayLike<number>, along: number, length: number, at: (i: number) => number) => {
    const out = new Float64Array(from.length);
    for (let i = 0; i < from.length; i++) {
      const place = at(i);
      let sum = 0;
      for (let w = 0; w < weights.length; w++) {
        const other = Math.min(Math.max(place + w - reach, 0), length - 1);
        sum += weights[w] * from[i + (other - place) * along];
      }
      out[i] = sum / total;
    }
    return out;
  };
  const rows = pass(image, 3, width, (i) => Math.floor(i / 3) % width);
  const both = pass(rows, 3 * width, height, (i) => Math.floor(i / (3 * width)));
  for (let i = 0; i < image.length; i++) image[i] = toByte(both[i]);
}

/** Values nearer to the image's mean of each channel. */
function lowerContrast(image: Uint8Array, _: ImageSize, left: number): void {
  const mean = [0, 0, 0];
  for (let i = 0; i < image.length; i++) mean[i % 3] += (3 * image[i]) / image.length;
  for (let i = 0; i < image.length; i++) image[i] = toByte(mean[i % 3] + left * (image[i] - mean[i % 3]));
}

const toByte = (value: number): number => Math.min(255, Math.max(0, Math.round(value)));
