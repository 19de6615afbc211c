import type { LabelledImages } from '../data/types';
import type { GraphBuilder } from '../graph/ir';
import type { Tensor } from '../graph/tensor';
import type { RunSettings } from './settings';

type Labels = Pick<LabelledImages, 'labels' | 'classes'>;

/** Images of each class. */
export function classCounts({ labels, classes }: Labels): number[] {
  const counts = new Array<number>(classes.length).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}

/**
 * Weights of the classes in the loss, inverse to how many images they have: n / (k n_c) for n_c of n images in one of k
 * classes, scikit-learn's `balanced`. The mean over the images is 1. A class without images weighs nothing.
 */
export function classWeights(images: Labels): number[] {
  const counts = classCounts(images);
  const classes = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count > 0 ? images.labels.length / (classes * count) : 0));
}

const NAME = 'class weights';

/** Where a step finds the weights of the classes that it has logits of. */
export const classWeightsTensor = (g: GraphBuilder, logits: Tensor): Tensor =>
  g.tensor(NAME, [logits.shape[3]], { role: 'constant' });

/** Writes them, where the loss is weighted; `session` is where steps run. */
export function writeClassWeights(
  session: { write(key: string, data: Float32Array<ArrayBuffer>): void },
  images: Labels,
  { balance }: Pick<RunSettings, 'balance'>,
): void {
  if (balance === 'loss') session.write(`constant:${NAME}`, Float32Array.from(classWeights(images)));
}

/** So many times the images of the smallest class in the largest, and a run says what can be done about it. */
const UNBALANCED = 3;

/** What is done about classes of unequal size, or could be; nothing where there is nothing to say. */
export function balanceSentence(
  images: Labels,
  { balance, repeats }: Pick<RunSettings, 'balance' | 'repeats'>,
): { type: 'note' | 'warning'; message: string } | undefined {
  const { classes, labels } = images;
  const counts = classCounts(images);
  const sizes = counts.map((count, c) => ({ name: classes[c], count })).filter(({ count }) => count > 0);
  sizes.sort((a, b) => a.count - b.count);
  const [least, most] = [sizes[0], sizes[sizes.length - 1]];
  const some = (count: number) => `${count} image${count === 1 ? '' : 's'}`;
  if (balance === 'loss') {
    const weight = ({ count }: { count: number }) => short(labels.length / (sizes.length * count));
    return {
      type: 'note',
      message: `Classes weigh in the loss by how few images they have: ${weight(least)} for ${least.name} (${some(least.count)}), ${weight(most)} for ${most.name} (${some(most.count)}).`,
    };
  }
  if (balance === 'sampler') {
    const places = (repeats * labels.length) / sizes.length;
    const often = ({ name, count }: { name: string; count: number }) =>
      `each of ${name} (${some(count)}) ${short(places / count)} times`;
    return {
      type: 'note',
      message: `An epoch takes as many images of each class, ${short(places)} on average: ${often(least)}, ${often(most)}.`,
    };
  }
  if (most.count <= UNBALANCED * least.count) return undefined;
  return {
    type: 'warning',
    message: `The classes are unbalanced: ${some(least.count)} of ${least.name}, ${some(most.count)} of ${most.name}. The setting balance weighs them in the loss (--balance loss) or draws them evenly (--balance sampler).`,
  };
}

const short = (x: number): string => String(Number(x.toPrecision(3)));
