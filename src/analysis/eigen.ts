/** Eigenvalues of small symmetric matrices. */

/** Eigenvalues from the largest to the smallest, and an eigenvector each. */
export interface Eigen {
  values: Float64Array;
  /** n x n, row k belongs to value k, of length 1 */
  vectors: Float64Array;
}

const MAX_SWEEPS = 60;

/**
 * Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's cyclic rotations, in float64.
 * @param matrix n x n, row-major
 */
export function symmetricEigen(matrix: ArrayLike<number>, n: number): Eigen {
  const a = Float64Array.from(matrix);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let isDiagonal = true;
    for (let p = 0; p < n - 1; p++)
      for (let q = p + 1; q < n; q++) {
        const apq = a[p * n + q];
        // what adds nothing to the diagonal in float64 is nothing
        if (Math.abs(apq) <= 1e-17 * (Math.abs(a[p * n + p]) + Math.abs(a[q * n + q]))) continue;
        isDiagonal = false;
        const [c, s] = rotation(a[p * n + p], a[q * n + q], apq);
        rotateColumns(a, n, [p, q], [c, s]);
        rotateRows(a, n, [p, q], [c, s]);
        rotateRows(v, n, [p, q], [c, s]);
      }
    if (isDiagonal) break;
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j] - a[i * n + i]);
  return {
    values: Float64Array.from(order, (i) => a[i * n + i]),
    vectors: Float64Array.from(order.flatMap((i) => [...v.subarray(i * n, (i + 1) * n)])),
  };
}

/** Cosine and sine of the rotation that makes the pair's element off the diagonal zero. */
function rotation(app: number, aqq: number, apq: number): [number, number] {
  const theta = (aqq - app) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  return [c, t * c];
}

type Pair = [number, number];

function rotateRows(m: Float64Array, n: number, [p, q]: Pair, [c, s]: Pair): void {
  for (let k = 0; k < n; k++) {
    const [x, y] = [m[p * n + k], m[q * n + k]];
    m[p * n + k] = c * x - s * y;
    m[q * n + k] = s * x + c * y;
  }
}

function rotateColumns(m: Float64Array, n: number, [p, q]: Pair, [c, s]: Pair): void {
  for (let k = 0; k < n; k++) {
    const [x, y] = [m[k * n + p], m[k * n + q]];
    m[k * n + p] = c * x - s * y;
    m[k * n + q] = s * x + c * y;
  }
}

/**
 * How many directions numbers of 0 or more are spread over: exp of the entropy of their shares, between 1 (all in one) and
 * their count (all equal); 0 where all are 0.
 */
export function effectiveCount(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  if (!(total > 0)) return 0;
  let entropy = 0;
  for (let i = 0; i < values.length; i++) {
    const share = values[i] / total;
    if (share > 0) entropy -= share * Math.log(share);
  }
  return Math.exp(entropy);
}
