/** A 32-bit hash of a counter (PCG's output permutation): the host's side of all seeded choices. */
export function hash32(...keys: number[]): number {
  let h = 0x9e3779b9;
  for (const key of keys) {
    const state = (Math.imul(h ^ key, 747796405) + 2891336453) >>> 0;
    const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
    h = ((word >>> 22) ^ word) >>> 0;
  }
  return h;
}

/** The order of `count` images in a training epoch, counted from 0: a Fisher-Yates shuffle keyed by (seed, epoch). */
export function trainingOrder(count: number, seed: number, epoch: number): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = hash32(seed, epoch, i) % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/**
 * The order of a training epoch that takes as many images of each class (one more of some, in turn by epoch): as long as the
 * set, keyed by (seed, epoch). A class with fewer images than places gives them again and again, each shuffled time all of
 * them; one with more gives a part, another in each epoch. torch's WeightedRandomSampler has the same shares on average.
 * @param labels the class of each image, below `classes`
 */
export function balancedOrder(
  labels: ArrayLike<number>,
  classes: number,
  seed: number,
  epoch: number,
): Uint32Array<ArrayBuffer> {
  const { length } = labels;
  const members = Array.from({ length: classes }, () => [] as number[]);
  for (let i = 0; i < length; i++) members[labels[i]].push(i);
  const present = members.filter((images) => images.length > 0);
  const places: number[] = [];
  for (const [k, images] of present.entries()) {
    const more = (k + epoch) % present.length < length % present.length ? 1 : 0;
    const count = Math.floor(length / present.length) + more;
    for (let round = 0, left = count; left > 0; round++, left -= images.length) {
      // each class and round a shuffle of its own
      const key = hash32(seed, k + 1, round);
      const taken = trainingOrder(images.length, key, epoch).subarray(0, Math.min(left, images.length));
      for (const i of taken) places.push(images[i]);
    }
  }
  return trainingOrder(length, seed, epoch).map((place) => places[place]);
}

/** The order of an evaluation, the same always: folders come class by class, and its first images stand for all. */
export const evaluationOrder = (count: number): Uint32Array<ArrayBuffer> => trainingOrder(count, 0, 0);
