import type { Prediction } from '../analysis/class-figures';
import { csv } from '../io/csv';

/** A row an image: what it is, what the network says, how sure it is, and whether that is right. */
export function predictionsCsv(predictions: readonly Prediction[]): string {
  const rows = predictions.map(({ image, label, predicted, probability }) => [
    image,
    label,
    predicted,
    Number(probability.toPrecision(6)),
    label === predicted,
  ]);
  return csv([['image', 'label', 'predicted', 'probability', 'correct'], ...rows]);
}
