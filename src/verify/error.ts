/** max|a - b| / max(1e-6, max|b|); NaN where either has one. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let largest = 1e-6;
  for (let i = 0; i < b.length; i++) {
    // Math.max keeps a NaN, a comparison would lose it again
    difference = Math.max(difference, Math.abs(a[i] - b[i]));
    largest = Math.max(largest, Math.abs(b[i]));
  }
  return difference / largest;
}

/** The Euclidean norm of a, or of a - b. */
export function norm(a: ArrayLike<number>, b?: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - (b?.[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

/** sum (a - b)(c - d) */
export function productOfDifferences(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  c: ArrayLike<number>,
  d: ArrayLike<number>,
): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) * (c[i] - d[i]);
  return sum;
}
