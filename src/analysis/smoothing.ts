/**
 * Exponential moving average without the pull of its start towards zero (TensorBoard's smoothing): the average of n
 * values is divided by 1 - weight^n. Values that are not finite are passed through and not averaged.
 * @param weight of the past, from 0 (no smoothing) to below 1
 */
export const debiasedEma = (values: readonly number[], weight: number): number[] =>
  values.map(runningEma(weight));

/** The same, value by value: each call takes the next one and gives the average so far. */
export function runningEma(weight: number): (value: number) => number {
  let average = 0;
  let correction = 1;
  return (value) => {
    if (!Number.isFinite(value)) return value;
    average = average * weight + (1 - weight) * value;
    correction *= weight;
    return average / (1 - correction);
  };
}
