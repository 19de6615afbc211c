import { evaluationOrder } from '../data/order';
import type { LabelledImages } from '../data/types';

/**
 * The accuracy that logits mean if the network has the classes in another order than the images.
 * @param order the classes in that order
 * @param logits of all images, in the order of an evaluation, a row each and perhaps padded
 */
export function accuracyInOrder(
  { classes, labels, count }: Pick<LabelledImages, 'classes' | 'labels' | 'count'>,
  order: readonly string[],
  logits: Float32Array,
): number {
  const stride = logits.length / count;
  const wanted = classes.map((name) => order.indexOf(name));
  let right = 0;
  for (const [row, image] of evaluationOrder(count).entries()) {
    const scores = logits.subarray(row * stride, row * stride + classes.length);
    if (scores.indexOf(Math.max(...scores)) === wanted[labels[image]]) right++;
  }
  return right / count;
}

/** A sentence on both orders of classes that are numbers. */
export function orderSentence(byName: number, natural: number): string {
  const percent = (accuracy: number) => `${(100 * accuracy).toFixed(2)} %`;
  return `Accuracy with the classes by name ${percent(byName)}, in natural order ${percent(natural)} (--class-order natural).`;
}
