import type { Values } from './values';

/** torch.nn.functional.cross_entropy of each row of logits `[n, c]`, before it is divided by the sum of the weights. */
export function crossEntropyRows(
  { shape: [n, c], data }: Values,
  target: number[],
  smoothing: number,
  weights: ArrayLike<number> = new Array<number>(c).fill(1),
): number[] {
  return Array.from({ length: n }, (_, i) => {
    const row = data.subarray(i * c, (i + 1) * c);
    const largest = Math.max(...row);
    const total = Math.log(row.reduce((a, v) => a + Math.exp(v - largest), 0)) + largest;
    const mean = row.reduce((a, v, k) => a + weights[k] * (total - v), 0) / c;
    return (1 - smoothing) * weights[target[i]] * (total - row[target[i]]) + smoothing * mean;
  });
}
