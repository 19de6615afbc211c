import { productOfDifferences } from './error';

/** A tensor as PyTorch and as several runs of the engine have it, and the length that counts as 1 in it. */
export interface Sample {
  expected: ArrayLike<number>;
  runs: readonly ArrayLike<number>[];
  scale: number;
}

/**
 * The weights, of sum 1, that bring the weighted mean of the runs nearest to the expected tensors: one set of weights for
 * all tensors together.
 *
 * Where a ReLU's input is within rounding of 0, a run takes one side of the kink and PyTorch in float64 may take the other.
 * Each kink moves the gradients by a jump of its own, so runs that differ in their last bits differ by sums of such jumps,
 * and PyTorch's numbers are the runs' but for some of them: they lie in the space that the runs span. An error of
 * arithmetic is another direction, which no weights make up for: there are a handful of them for thousands of numbers.
 * @param ridge distance below which runs count as equal: their small differences must not be blown up to fit
 */
export function nearestCombination(samples: readonly Sample[], ridge: number): number[] {
  return nearestWeights(meanOf(samples.map(gramOf)), ridge);
}

/**
 * For each run the weights that bring the weighted mean of the others nearest to it: what would be asked of PyTorch's numbers
 * if that run were PyTorch. By [run][run], its own weight 0.
 */
export function weightsOfOthers(samples: readonly Sample[], ridge: number): number[][] {
  const mean = meanOf(samples.map(gramOf));
  return mean.map((_, run) => {
    const weights = nearestWeights(seenFrom(mean, run), ridge);
    return [...weights.slice(0, run), 0, ...weights.slice(run)];
  });
}

/** The products of the runs' differences from what is expected, as shares of the scale. */
function gramOf({ expected, runs, scale }: Sample): number[][] {
  const gram: number[][] = runs.map(() => []);
  for (let i = 0; i < runs.length; i++) {
    for (let j = 0; j <= i; j++) {
      const product = productOfDifferences(runs[i], expected, runs[j], expected) / scale ** 2;
      gram[i][j] = product;
      gram[j][i] = product;
    }
  }
  return gram;
}

const meanOf = (grams: readonly number[][][]): number[][] =>
  grams[0].map((row, i) => row.map((_, j) => grams.reduce((sum, g) => sum + g[i][j], 0) / grams.length));

/** The products of the other runs' differences from that one. */
const seenFrom = (gram: readonly number[][], run: number): number[][] => {
  const others = gram.map((_, i) => i).filter((i) => i !== run);
  return others.map((i) => others.map((j) => gram[i][j] - gram[i][run] - gram[run][j] + gram[run][run]));
};

/** The weights of sum 1 that make the weighted sum of the differences shortest. */
function nearestWeights(gram: readonly number[][], ridge: number): number[] {
  const raised = gram.map((row, i) => row.map((product, j) => product + (i === j ? ridge ** 2 : 0)));
  const weights = solve(raised, new Array(gram.length).fill(1));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

/** The sum of weight * run. */
export function combine(runs: readonly ArrayLike<number>[], weights: readonly number[]): Float64Array {
  const out = new Float64Array(runs[0].length);
  runs.forEach((run, i) => {
    for (let j = 0; j < out.length; j++) out[j] += weights[i] * run[j];
  });
  return out;
}

/** The solution of a symmetric positive definite system, by Gauss's elimination. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  const n = rows.length;
  for (let i = 0; i < n; i++) {
    for (let k = i + 1; k < n; k++) {
      const factor = rows[k][i] / rows[i][i];
      for (let j = i; j <= n; j++) rows[k][j] -= factor * rows[i][j];
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = rows[i][n];
    for (let j = i + 1; j < n; j++) sum -= rows[i][j] * x[j];
    x[i] = sum / rows[i][i];
  }
  return x;
}
