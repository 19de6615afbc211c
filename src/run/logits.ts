import { evaluationOrder } from '../data/order';
import type { LabelledImages } from '../data/types';
import type { Gpu } from '../gpu/device';
import type { StateDict } from '../io/tensor';
import type { Model } from '../model/model';
import { evaluateNetwork, type Normalisation } from '../train/evaluate';

/** Logits of a plain network, a row of a number a class for each image, in the images' order. */
export async function logitsOf(
  gpu: Gpu,
  { model, state }: { model: Model; state: StateDict },
  images: LabelledImages,
  options: Normalisation & { batch?: number; goOn?: (done: number) => void },
): Promise<Float32Array[]> {
  const { count } = images;
  const { logits } = await evaluateNetwork(gpu, model, state, images, { ...options, keep: count });
  return inImageOrder(logits, count, model.head.classes);
}

/** Whether a network's answer is one. */
export const isAnswer = (row: Float32Array): boolean => row.every(Number.isFinite);

export const NOT_FINITE =
  'numbers that are not finite: its weights, or the mean and std that images are normalised by, are not those of a network that works.';

/** The rows of all images of an evaluation, in its order and perhaps padded, as a row an image in the images' order. */
export function inImageOrder(logits: Float32Array, count: number, classes: number): Float32Array[] {
  const stride = logits.length / count;
  const rows: Float32Array[] = new Array(count);
  evaluationOrder(count).forEach((image, i) => {
    rows[image] = logits.subarray(i * stride, i * stride + classes);
  });
  return rows;
}
