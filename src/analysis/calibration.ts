/** Whether a classifier is right as often as it is sure. */
import type { Prediction } from './class-figures';

/** Images whose predicted class has a probability within a bin, its upper bound included. */
export interface CalibrationBin {
  from: number;
  to: number;
  images: number;
  /** mean probability of the predicted class, and the share of images told right; absent where there are no images */
  confidence?: number;
  accuracy?: number;
}

export interface Calibration {
  bins: CalibrationBin[];
  /** expected calibration error: the mean distance of confidence and accuracy over the bins, weighted by their images */
  error: number;
  /** mean probability of the predicted class */
  confidence: number;
}

/** Bins of equal width, as Guo et al. (arXiv 1706.04599) have them. */
const BINS = 15;

/** Of predictions of at least one image. */
export function calibrationOf(predictions: readonly Prediction[], count = BINS): Calibration {
  const sums = Array.from({ length: count }, () => ({ images: 0, confidence: 0, right: 0 }));
  for (const { label, predicted, probability } of predictions) {
    const bin = sums[Math.min(Math.max(Math.ceil(probability * count) - 1, 0), count - 1)];
    bin.images++;
    bin.confidence += probability;
    if (label === predicted) bin.right++;
  }
  const total = predictions.length;
  return {
    bins: sums.map(({ images, confidence, right }, i) => ({
      from: i / count,
      to: (i + 1) / count,
      images,
      ...(images > 0 && { confidence: confidence / images, accuracy: right / images }),
    })),
    error: sums.reduce((sum, { confidence, right }) => sum + Math.abs(confidence - right), 0) / total,
    confidence: sums.reduce((sum, { confidence }) => sum + confidence, 0) / total,
  };
}
