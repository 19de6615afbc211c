/** Directions and points of a loss landscape (Li et al. 2018, arXiv 1712.09913). */

/**
 * Gives each filter of a direction the norm of the weight's filter, in place, so that a step of 1 moves every filter by its own length and
 * networks of other scales can be compared. A filter is what makes one output: the numbers of one index of the first dimension.
 * Of tensors with one dimension (biases, batch norms) the direction is zero, as the paper has it.
 * @param shape of both, in PyTorch's order
 */
export function normaliseFilters(
  direction: Float32Array,
  weight: ArrayLike<number>,
  shape: readonly number[],
): void {
  if (shape.length < 2) {
    direction.fill(0);
    return;
  }
  const size = direction.length / shape[0];
  for (let first = 0; first < direction.length; first += size) {
    let [own, wanted] = [0, 0];
    for (let i = first; i < first + size; i++) {
      own += direction[i] ** 2;
      wanted += weight[i] ** 2;
    }
    const scale = own > 0 ? Math.sqrt(wanted / own) : 0;
    for (let i = first; i < first + size; i++) direction[i] *= scale;
  }
}

/** An odd number of equal steps from -radius to radius, or an even one, the middle left out. */
export const gridOf = (points: number, radius: number): number[] =>
  // what is symmetric is computed as such: the middle is 0 exactly
  Array.from({ length: points }, (_, i) => (radius * (2 * i - (points - 1))) / (points - 1) + 0);

/** origin + sum of steps times directions. */
export function pointAt(
  origin: Float32Array,
  directions: readonly Float32Array[],
  steps: readonly number[],
): Float32Array<ArrayBuffer> {
  const point = new Float32Array(origin);
  directions.forEach((direction, d) => {
    for (let i = 0; i < point.length; i++) point[i] += steps[d] * direction[i];
  });
  return point;
}
