/** The test images whose predictions a run tells while it trains. */

import { resizeAndCrop } from '../data/images/resize';
import { cropOf, croppedImages, imageBytes, readImages } from '../data/pixels';
import type { LabelledImages } from '../data/types';
import { chooseImages, type LiveObserver, type LivePrediction, predictionOf } from '../train/live-look';
import { inImageOrder } from './logits';

export interface LiveImage {
  /** its path, or its number in the set */
  image: string | number;
  /** the class that it is of */
  label: number;
  /** of the picture, pixels */
  side: number;
  /** RGB bytes of a square picture */
  pixels: Uint8Array<ArrayBuffer>;
}

export type LiveEvent =
  /** the test images whose predictions are told on the way, in their order there */
  | { type: 'live images'; images: LiveImage[] }
  /** what the network says of them after that step */
  | { type: 'live'; step: number; predictions: LivePrediction[] };

/** Side of the pictures at most, pixels. */
const SIDE = 64;

/**
 * Chooses the images, and tells them.
 * @param live how many
 */
export async function liveObserver(
  live: number,
  test: LabelledImages,
  emit: (event: LiveEvent) => void,
): Promise<LiveObserver | undefined> {
  if (live === 0) return undefined;
  const images = chooseImages(test, live);
  emit({ type: 'live images', images: await picturesOf(test, images) });
  return { images, told: (step, predictions) => emit({ type: 'live', step, predictions }) };
}

/**
 * Tells what the network says of the images as it was loaded.
 * @param logits of all test images, in an evaluation's order
 */
export function tellStart({ images, told }: LiveObserver, test: LabelledImages, logits: Float32Array): void {
  const rows = inImageOrder(logits, test.count, test.classes.length);
  told(
    0,
    images.map((image) => predictionOf(rows[image], test.labels[image])),
  );
}

/** What the network sees of some images, small. */
async function picturesOf(set: LabelledImages, images: number[]): Promise<LiveImage[]> {
  const { height, width } = cropOf(set);
  const side = Math.min(SIDE, height, width);
  const pictures: LiveImage[] = [];
  for (const image of images) {
    const whole = new Uint8Array(imageBytes(set));
    await readImages(set, [image], whole);
    const pixels = resizeAndCrop(croppedImages(set, whole), { width, height }, { width: side, height: side });
    pictures.push({ image: set.paths?.[image] ?? image, label: set.labels[image], side, pixels });
  }
  return pictures;
}
