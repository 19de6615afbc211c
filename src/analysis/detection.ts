/** Figures of boxes: detections beside the objects that are there. */

/** In pixels; `right` and `bottom` are behind the last ones. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface LabelledBox extends Box {
  label: number;
}

export interface Detection extends LabelledBox {
  score: number;
}

/** Intersection over union of two boxes. */
export function boxOverlap(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (!(width > 0 && height > 0)) return 0;
  const area = (box: Box) => (box.right - box.left) * (box.bottom - box.top);
  return (width * height) / (area(a) + area(b) - width * height);
}

/** By falling score; of equals the order stays. */
export const byScore = (a: { score: number }, b: { score: number }): number => b.score - a.score;

/** Non-maximum suppression: of detections of a class that overlap by more than `threshold` the one of the highest score stays. */
export function suppress(detections: readonly Detection[], threshold: number): Detection[] {
  const kept: Detection[] = [];
  for (const one of detections.toSorted(byScore))
    if (!kept.some((other) => other.label === one.label && boxOverlap(other, one) > threshold))
      kept.push(one);
  return kept;
}

/** A detection, and whether it is of an object that no surer one has taken. */
export interface Matched {
  label: number;
  score: number;
  isRight: boolean;
}

/** The detections and objects of an image. */
export interface MatchedImage {
  detections: Matched[];
  /** the class of each object */
  objects: number[];
}

/**
 * Gives each detection, the surest first, the object of its class that it overlaps most: it is right where that is by `least` or more
 * and the object is not taken yet (the PASCAL VOC challenge's rule).
 */
export function matchDetections(
  detections: readonly Detection[],
  objects: readonly LabelledBox[],
  least = 0.5,
): MatchedImage {
  const taken = new Set<LabelledBox>();
  const matched = detections.toSorted(byScore).map((one): Matched => {
    const overlaps = objects
      .filter(({ label }) => label === one.label)
      .map((object) => ({ object, by: boxOverlap(one, object) }));
    const best = overlaps.reduce((a, b) => (b.by > a.by ? b : a), { object: undefined as never, by: 0 });
    const isRight = best.by >= least && !taken.has(best.object);
    if (isRight) taken.add(best.object);
    return { label: one.label, score: one.score, isRight };
  });
  return { detections: matched, objects: objects.map(({ label }) => label) };
}

/** The detections of a class in a set, the surest first, and its objects. */
interface Ranked {
  detections: { image: number; isRight: boolean }[];
  /** in each image */
  objects: number[];
}

/** Class by class, of which there are so many. */
export function rankDetections(images: readonly MatchedImage[], classes: number): Ranked[] {
  return Array.from({ length: classes }, (_, label) => ({
    detections: images
      .flatMap(({ detections }, image) =>
        detections.filter((one) => one.label === label).map((one) => ({ ...one, image })),
      )
      .sort(byScore),
    objects: images.map(({ objects }) => objects.filter((own) => own === label).length),
  }));
}

/**
 * Average precision of each class: the area under its curve of precision over recall, over all images, with the precision at a recall
 * the highest at that or a larger one (all points, PASCAL VOC since 2010). Undefined for a class without objects.
 * @param times how often each image counts; default: once
 */
export function averagePrecisions(
  classes: readonly Ranked[],
  times?: ArrayLike<number>,
): (number | undefined)[] {
  return classes.map(({ detections, objects }) => {
    const count = objects.reduce((sum, own, image) => sum + own * (times?.[image] ?? 1), 0);
    if (count === 0) return undefined;
    let [told, right] = [0, 0];
    const precisions = detections.map(({ image, isRight }) => {
      const weight = times?.[image] ?? 1;
      told += weight;
      if (isRight) right += weight;
      return told > 0 ? right / told : 0;
    });
    let highest = 0;
    let area = 0;
    // recall rises at every detection that is right
    for (let i = detections.length - 1; i >= 0; i--) {
      highest = Math.max(highest, precisions[i]);
      const { image, isRight } = detections[i];
      if (isRight) area += highest * (times?.[image] ?? 1);
    }
    return area / count;
  });
}
