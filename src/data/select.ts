import { Random } from './random';

/**
 * Picks at most `limit` of the items 0 ... labels.length - 1 (0: all), as evenly over the classes as they allow:
 * each class is shuffled by the seed, then the classes give one in turn. Ascending order.
 */
export function selectBalanced(labels: ArrayLike<number>, limit: number, seed: number): number[] {
  if (limit <= 0 || limit >= labels.length) return Array.from({ length: labels.length }, (_, i) => i);
  const byClass = new Map<number, number[]>();
  for (let i = 0; i < labels.length; i++) {
    const items = byClass.get(labels[i]);
    if (items) items.push(i);
    else byClass.set(labels[i], [i]);
  }
  const shuffled = [...byClass.keys()]
    .sort((a, b) => a - b)
    .map((label) => new Random(seed, label).shuffle(byClass.get(label) ?? []));
  const chosen: number[] = [];
  for (let turn = 0; chosen.length < limit; turn++) {
    for (const items of shuffled) {
      if (turn < items.length && chosen.length < limit) chosen.push(items[turn]);
    }
  }
  return chosen.sort((a, b) => a - b);
}
