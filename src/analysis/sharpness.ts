/** The largest eigenvalue of a Hessian by gradients alone. */

/** The gradient of a function at a point. */
export type Gradient = (point: Float32Array) => Promise<Float64Array>;

/** A matrix as what it does to a vector. */
export type Multiply = (vector: Float64Array) => Promise<Float64Array>;

/**
 * Step of a difference, of the point's norm: below it the rounding of float32 gradients shows, above it the curvature changes
 * on the way.
 */
const STEP = 1e-3;

/** The Hessian's product with a vector as the central difference of two gradients, (g(x + h v) - g(x - h v)) / 2h. */
export function hessianProduct(gradient: Gradient, point: Float32Array, step = STEP): Multiply {
  const h = step * (norm(point) || 1);
  return async (vector) => {
    const length = norm(vector);
    const scale = h / length;
    const at = (sign: number) => point.map((x, i) => x + sign * scale * vector[i]);
    const after = await gradient(at(1));
    const before = await gradient(at(-1));
    return after.map((g, i) => (g - before[i]) / (2 * scale));
  };
}

export interface LargestEigenvalue {
  value: number;
  /** |A v - value v| over |value| at the end: how far the vector is from an eigenvector */
  residual: number;
  /** products that were taken */
  products: number;
  /** whether the value stood still at the end */
  converged: boolean;
}

export interface PowerOptions {
  /** products at most; default 40 */
  most?: number;
  /** the value stands still where it changes by no more than this share; default 1e-3 */
  tolerance?: number;
}

/**
 * The largest eigenvalue of a symmetric matrix by power iteration. That finds the one of largest magnitude; where it is
 * negative, a second iteration on the matrix less that value, whose eigenvalues are all positive, finds the largest.
 * @param start a random vector, not zero
 */
export async function largestEigenvalue(
  multiply: Multiply,
  start: Float64Array,
  { most = 40, tolerance = 1e-3 }: PowerOptions = {},
): Promise<LargestEigenvalue> {
  const first = await powerIteration(multiply, start, most, tolerance);
  if (!(first.value < 0)) return first;
  const shifted: Multiply = async (v) => {
    const product = await multiply(v);
    return product.map((x, i) => x - first.value * v[i]);
  };
  const second = await powerIteration(shifted, start, Math.max(2, most - first.products), tolerance);
  return { ...second, value: second.value + first.value, products: first.products + second.products };
}

async function powerIteration(
  multiply: Multiply,
  start: Float64Array,
  most: number,
  tolerance: number,
): Promise<LargestEigenvalue> {
  let vector = scaled(start, 1 / norm(start));
  let value = Number.NaN;
  for (let products = 1; ; products++) {
    const next = await multiply(vector);
    const before = value;
    value = next.reduce((sum, x, i) => sum + x * vector[i], 0);
    const length = norm(next);
    const away = norm(next.map((x, i) => x - value * vector[i]));
    const residual = value === 0 ? 0 : away / Math.abs(value);
    const converged = Math.abs(value - before) <= tolerance * Math.abs(value) || length === 0;
    if (converged || products >= most || !Number.isFinite(length))
      return { value, residual, products, converged };
    vector = scaled(next, 1 / length);
  }
}

function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return Math.sqrt(sum);
}

const scaled = (values: Float64Array, factor: number): Float64Array => values.map((x) => x * factor);
