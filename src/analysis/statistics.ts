/** What the numbers of a tensor are like. */

export interface Statistics {
  count: number;
  /** of the finite numbers, NaN where there are none */
  min: number;
  max: number;
  mean: number;
  /** square root of the mean squared deviation, as numpy.std */
  std: number;
  zeros: number;
  /** NaN or infinite */
  notFinite: number;
  /** of the finite numbers: how many lie in each of equal parts of min to max */
  histogram: Uint32Array;
}

const BINS = 48;

export function statisticsOf(values: ArrayLike<number>): Statistics {
  const { length } = values;
  let [min, max, sum, zeros, notFinite] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = 0; i < length; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) {
      notFinite++;
      continue;
    }
    if (value < min) min = value;
    if (value > max) max = value;
    if (value === 0) zeros++;
    sum += value;
  }
  const finite = length - notFinite;
  const histogram = new Uint32Array(BINS);
  if (finite === 0) {
    const none = Number.NaN;
    return { count: length, min: none, max: none, mean: none, std: none, zeros, notFinite, histogram };
  }
  const mean = sum / finite;
  const scale = max > min ? BINS / (max - min) : 0;
  let squares = 0;
  for (let i = 0; i < length; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) continue;
    squares += (value - mean) ** 2;
    histogram[Math.min(BINS - 1, Math.floor((value - min) * scale))]++;
  }
  return { count: length, min, max, mean, std: Math.sqrt(squares / finite), zeros, notFinite, histogram };
}
