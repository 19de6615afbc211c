import { UserError } from '../errors';
import { pick } from './pick';
import { Random } from './random';
import { sidesOf } from './recordings';
import type { LabelledImages } from './types';

/** Which images train and which are held out, ascending. */
export interface Split {
  train: number[];
  held: number[];
}

/**
 * Holds a fraction of each class out, chosen by the seed, the same for every method: at least one image and never all
 * where the class has two. Images of the same side stay together, so that none is tested that trained.
 * @param sides of each image a text that it shares with those that it stays with (see recordings.ts)
 */
export function stratifiedSplit(
  labels: ArrayLike<number>,
  sides: readonly string[],
  fraction: number,
  seed: number,
): Split {
  const held: number[] = [];
  for (const [label, groups] of groupsByClass(labels, sides)) {
    const count = groups.reduce((sum, group) => sum + group.length, 0);
    const wanted = Math.max(1, Math.round(count * fraction));
    let taken = 0;
    for (const group of holdable(new Random(seed, 0x7e57, label).shuffle(groups), wanted)) {
      if (taken >= wanted) break;
      held.push(...group);
      taken += group.length;
    }
  }
  const isHeld = new Set(held);
  const train = Array.from({ length: labels.length }, (_, i) => i).filter((i) => !isHeld.has(i));
  return { train, held: held.sort((a, b) => a - b) };
}

/** Groups that may be held out: one stays, and an image with many copies does not take the training images with it. */
function holdable(groups: number[][], wanted: number): number[][] {
  const small = groups.filter(({ length }) => length <= wanted);
  if (small.length === groups.length) return groups.slice(1);
  if (small.length > 0 || groups.length === 1) return small;
  return [groups.reduce((least, group) => (group.length < least.length ? group : least))];
}

/** Images of one side, by the class of the first of them. */
function groupsByClass(labels: ArrayLike<number>, sides: readonly string[]): Map<number, number[][]> {
  const groups = new Map<string, number[]>();
  for (const [i, side] of sides.entries()) {
    const group = groups.get(side);
    if (group) group.push(i);
    else groups.set(side, [i]);
  }
  const classes = new Map<number, number[][]>();
  for (const group of groups.values()) {
    const label = labels[group[0]];
    const others = classes.get(label);
    if (others) others.push(group);
    else classes.set(label, [group]);
  }
  return classes;
}

/** Images, and of each a text that equal images share. */
export interface LoadedPart {
  images: LabelledImages;
  digests: string[];
}

/**
 * Holds a fraction of each class out, by the seed.
 * @param source its name, for messages
 * @returns what trains and what is held out, and which images these are
 * @throws UserError where no class has two different images
 */
export function holdOut(
  source: string,
  { images, digests }: LoadedPart,
  { val, seed }: { val: number; seed: number },
): [train: LoadedPart, held: LoadedPart, split: Split] {
  const split = stratifiedSplit(images.labels, sidesOf(images, digests, val), val, seed);
  if (split.held.length === 0) {
    throw new UserError(
      `No class of ${source} has two different images, one to train and one to test; give more images, or test images apart.`,
    );
  }
  const part = (indices: number[]): LoadedPart => ({
    images: pick(images, indices),
    digests: indices.map((i) => digests[i]),
  });
  return [part(split.train), part(split.held), split];
}
