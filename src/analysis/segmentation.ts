/** Figures of masks: classes of pixels told beside those that are. */

/** Of each class three numbers: pixels told rightly to be of it, pixels told to be of it, pixels of it. */
export type PixelCounts = Float64Array;

/** @param told, truth a class a pixel, below `classes` */
export function countPixels(told: ArrayLike<number>, truth: ArrayLike<number>, classes: number): PixelCounts {
  const counts = new Float64Array(3 * classes);
  for (let i = 0; i < truth.length; i++) {
    counts[3 * told[i] + 1]++;
    counts[3 * truth[i] + 2]++;
    if (told[i] === truth[i]) counts[3 * truth[i]]++;
  }
  return counts;
}

/**
 * Intersection over union of each class (its pixels told rightly over those that are of it or told to be), over all pixels that
 * were counted; undefined for a class that is neither there nor told.
 */
export function intersectionOverUnion(counts: ArrayLike<number>): (number | undefined)[] {
  return Array.from({ length: counts.length / 3 }, (_, c) => {
    const union = counts[3 * c + 1] + counts[3 * c + 2] - counts[3 * c];
    return union > 0 ? counts[3 * c] / union : undefined;
  });
}

/** Their mean, mIoU; 0 where there are none. */
export const meanOfClasses = (figures: readonly (number | undefined)[]): number => {
  const there = figures.filter((figure) => figure !== undefined);
  return there.length > 0 ? there.reduce((a, b) => a + b, 0) / there.length : 0;
};
