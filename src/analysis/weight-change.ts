/** How far a tensor has moved. */

export interface WeightChange {
  /** the Euclidean norm of after - before */
  distance: number;
  /** the same over the norm of before; infinite where that is zero and the tensor has moved */
  relative: number;
  /** between the two as vectors, degrees; NaN where one of them is zero */
  angle: number;
}

/** Distance and angle between two tensors of as many numbers. */
export function weightChange(before: ArrayLike<number>, after: ArrayLike<number>): WeightChange {
  if (before.length !== after.length)
    throw new Error(`${before.length} numbers cannot be compared with ${after.length}`);
  let [moved, one, two, product] = [0, 0, 0, 0];
  for (let i = 0; i < before.length; i++) {
    const [a, b] = [before[i], after[i]];
    moved += (b - a) ** 2;
    one += a * a;
    two += b * b;
    product += a * b;
  }
  const distance = Math.sqrt(moved);
  return {
    distance,
    relative: distance === 0 ? 0 : distance / Math.sqrt(one),
    angle: angleOf(distance, Math.sqrt(one), Math.sqrt(two), product),
  };
}

/** By the half angle's sine and cosine: the arc cosine of nearly 1 would be rounding alone (Kahan 2006). */
function angleOf(distance: number, one: number, two: number, product: number): number {
  if (one === 0 || two === 0) return Number.NaN;
  // |a/|a| - b/|b||^2 = (|a - b|^2 - (|a| - |b|)^2) / (|a| |b|)
  const apart = Math.max(0, distance ** 2 - (one - two) ** 2) / (one * two);
  const together = Math.max(0, 2 + (2 * product) / (one * two));
  return (2 * Math.atan2(Math.sqrt(apart), Math.sqrt(together)) * 180) / Math.PI;
}
