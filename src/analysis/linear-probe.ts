/** What can be told from features by a linear map: ridge regression on the classes. */

/** Images by their features, a row each, and the class of each. */
export interface ProbeSet {
  features: readonly Float32Array[];
  labels: ArrayLike<number>;
}

export interface Probe {
  /** share of the test images whose class has the largest answer */
  accuracy: number;
  /** the strength of the ridge, of the mean squared length of a row of features */
  ridge: number;
}

/** Strengths that are tried, by what they give on a fifth of the training images. */
export const RIDGES = [1e-4, 1e-3, 1e-2, 1e-1, 1, 10] as const;

/** Every so-many-th training image chooses the strength. */
const HELD_OUT = 5;

/**
 * Fits a linear map from standardised features to classes (1 for an image's own, -1 for the others) and tests it. The strength
 * of the ridge is chosen on a fifth of the training images, then all of them are fitted.
 * @param train at least 10 images
 */
export function linearProbe(train: ProbeSet, test: ProbeSet, classes: number): Probe {
  const isHeldOut = (_: unknown, i: number) => i % HELD_OUT === 0;
  const [held, rest] = [part(train, isHeldOut), part(train, (_, i) => !isHeldOut(_, i))];
  const tried = RIDGES.map((ridge) => accuracyOf(fitRidge(rest, classes, ridge), held));
  // of equals the strongest: the simplest map
  const ridge = RIDGES[tried.lastIndexOf(Math.max(...tried))];
  return { ridge, accuracy: accuracyOf(fitRidge(train, classes, ridge), test) };
}

function part({ features, labels }: ProbeSet, takes: (_: unknown, index: number) => boolean): ProbeSet {
  return { features: features.filter(takes), labels: Array.from(labels).filter(takes) };
}

/** A linear map to a number a class. */
export interface LinearMap {
  mean: Float64Array;
  /** 1 / deviation of each feature; 0 of one that does not change */
  scale: Float64Array;
  /** features x classes */
  weight: Float64Array;
  bias: Float64Array;
}

/**
 * Ridge regression in its dual form, (X Xᵀ + ridge * t I) A = Y and W = Xᵀ A, with X standardised, Y centred and t the mean of X Xᵀ's
 * diagonal: as many unknowns as images, whatever the number of features.
 */
export function fitRidge({ features, labels }: ProbeSet, classes: number, ridge: number): LinearMap {
  const rows = features.length;
  const { mean, scale } = standardisation(features);
  const x = features.map((row) => standardised(row, mean, scale));
  const counts = new Float64Array(classes);
  for (let i = 0; i < rows; i++) counts[labels[i]]++;
  const bias = counts.map((count) => (2 * count) / rows - 1);
  const gram = new Float64Array(rows * rows);
  let trace = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j <= i; j++) {
      let product = 0;
      for (let k = 0; k < mean.length; k++) product += x[i][k] * x[j][k];
      gram[i * rows + j] = product;
      if (i === j) trace += product;
    }
  for (let i = 0; i < rows; i++) gram[i * rows + i] += ridge * (trace / rows || 1);
  const targets = new Float64Array(rows * classes);
  for (let i = 0; i < rows; i++)
    for (let c = 0; c < classes; c++) targets[i * classes + c] = (labels[i] === c ? 1 : -1) - bias[c];
  solveCholesky(gram, rows, targets, classes);
  const weight = new Float64Array(mean.length * classes);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < mean.length; k++)
      for (let c = 0; c < classes; c++) weight[k * classes + c] += x[i][k] * targets[i * classes + c];
  return { mean, scale, weight, bias };
}

/** Answers of a map, a number a class. */
export function answers({ mean, scale, weight, bias }: LinearMap, row: Float32Array): Float64Array {
  const x = standardised(row, mean, scale);
  const out = Float64Array.from(bias);
  for (let k = 0; k < x.length; k++)
    for (let c = 0; c < out.length; c++) out[c] += x[k] * weight[k * out.length + c];
  return out;
}

function accuracyOf(map: LinearMap, { features, labels }: ProbeSet): number {
  const right = features.filter((row, i) => {
    const told = answers(map, row);
    return told.indexOf(Math.max(...told)) === labels[i];
  });
  return right.length / features.length;
}

function standardisation(features: readonly Float32Array[]): Pick<LinearMap, 'mean' | 'scale'> {
  const mean = new Float64Array(features[0].length);
  for (const row of features) for (let k = 0; k < row.length; k++) mean[k] += row[k] / features.length;
  const square = new Float64Array(mean.length);
  for (const row of features)
    for (let k = 0; k < row.length; k++) square[k] += (row[k] - mean[k]) ** 2 / features.length;
  return { mean, scale: square.map((v) => (v > 0 ? 1 / Math.sqrt(v) : 0)) };
}

const standardised = (row: Float32Array, mean: Float64Array, scale: Float64Array): Float64Array =>
  Float64Array.from(row, (v, k) => (v - mean[k]) * scale[k]);

/**
 * Solves A X = B in place of B by Cholesky's decomposition, in place of A's lower half.
 * @param a n x n, positive definite; the lower half is read
 * @param b n x columns
 */
function solveCholesky(a: Float64Array, n: number, b: Float64Array, columns: number): void {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / a[j * n + j];
    }
  for (let c = 0; c < columns; c++) {
    for (let i = 0; i < n; i++) {
      let sum = b[i * columns + c];
      for (let k = 0; k < i; k++) sum -= a[i * n + k] * b[k * columns + c];
      b[i * columns + c] = sum / a[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = b[i * columns + c];
      for (let k = i + 1; k < n; k++) sum -= a[k * n + i] * b[k * columns + c];
      b[i * columns + c] = sum / a[i * n + i];
    }
  }
}
