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

/** The order of an evaluation, the same always: folders come class by class, and its first images stand for all. */
export const evaluationOrder = (count: number): Uint32Array<ArrayBuffer> => trainingOrder(count, 0, 0);
