/** What a classifier's logits say of each class. */

/** An image, by its file where it has one of its own, else by its place in the set; classes by name. */
export interface Prediction {
  image: string | number;
  label: string;
  predicted: string;
  /** of the predicted class */
  probability: number;
}

/** Of one class against all others; a class without images has no recall, F1 and AUC. */
export interface FiguresOfClass {
  class: string;
  images: number;
  /** share of the images told to be of this class that are; 0 where there are none */
  precision: number;
  /** share of this class' images that are told to be of it */
  recall?: number;
  f1?: number;
  /** area under the ROC curve, class against the rest: how often an image of it scores above another; none without others */
  auc?: number;
}

export interface ClassFigures {
  /** share of images whose class is among the five likeliest; absent for five classes and fewer */
  top5?: number;
  /** images by class (row) and class told (column) */
  confusion: number[][];
  classes: FiguresOfClass[];
  /** means over the classes that have images */
  macro: { precision: number; recall: number; f1: number; auc?: number };
  /** the images told wrong, those that the network was surest of first */
  wrong: Prediction[];
}

/** A network on the test images. */
export interface TestEvaluation {
  figures: ClassFigures;
  /** in the images' order */
  predictions: Prediction[];
}

interface Labelled {
  labels: ArrayLike<number>;
  classes: readonly string[];
  paths?: readonly string[];
}

/** Figures of every class, and the prediction of every image. `logits`: a row an image, a number a class. */
export function classFigures(
  logits: readonly Float32Array[],
  { labels, classes, paths }: Labelled,
): TestEvaluation {
  const scales = logits.map(logSumExp);
  const told = logits.map(argmax);
  const confusion = classes.map(() => new Array<number>(classes.length).fill(0));
  for (const [image, predicted] of told.entries()) confusion[labels[image]][predicted]++;
  const predictions = told.map((predicted, image) => ({
    image: paths?.[image] ?? image,
    label: classes[labels[image]],
    predicted: classes[predicted],
    probability: Math.exp(logits[image][predicted] - scales[image]),
  }));
  const perClass = classes.map((name, c): FiguresOfClass => {
    const images = confusion[c].reduce((a, b) => a + b, 0);
    const named = confusion.reduce((sum, row) => sum + row[c], 0);
    const right = confusion[c][c];
    const precision = named > 0 ? right / named : 0;
    if (images === 0) return { class: name, images, precision };
    const auc = areaUnderCurve(
      // logarithms of probabilities have the order of these; what rounding alone sets apart is equal in float32
      Float32Array.from(logits, (row, image) => row[c] - scales[image]),
      (image) => labels[image] === c,
    );
    return {
      class: name,
      images,
      precision,
      recall: right / images,
      f1: (2 * right) / (images + named),
      auc,
    };
  });
  const present = perClass.filter(({ images }) => images > 0);
  const figures: ClassFigures = {
    confusion,
    classes: perClass,
    macro: {
      precision: mean(present.map((c) => c.precision)),
      recall: mean(present.map((c) => c.recall!)),
      f1: mean(present.map((c) => c.f1!)),
    },
    wrong: predictions
      .filter(({ label, predicted }) => label !== predicted)
      .sort((a, b) => b.probability - a.probability),
  };
  const areas = present.flatMap(({ auc }) => auc ?? []);
  if (areas.length > 0) figures.macro.auc = mean(areas);
  if (classes.length > TOP) {
    const among = logits.filter((row, image) => rankOf(row, labels[image]) < TOP).length;
    figures.top5 = among / logits.length;
  }
  return { figures, predictions };
}

const TOP = 5;

const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;

/** The first largest, as the loss counts right answers. */
const argmax = (row: Float32Array): number => row.reduce((best, v, c) => (v > row[best] ? c : best), 0);

/** Classes that score above that one, or as high and come before it. */
const rankOf = (row: Float32Array, label: number): number =>
  row.reduce((rank, v, c) => rank + Number(v > row[label] || (v === row[label] && c < label)), 0);

/** What the logarithm of a probability lies below its logit. */
function logSumExp(row: Float32Array): number {
  const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return most + Math.log(row.reduce((sum, v) => sum + Math.exp(v - most), 0));
}

/**
 * The share of pairs of a positive and a negative in which the positive scores higher, ties counting half: the area under the
 * ROC curve. Undefined without a pair.
 */
function areaUnderCurve(scores: Float32Array, isPositive: (index: number) => boolean): number | undefined {
  const positives = scores.filter((_, i) => isPositive(i));
  const negatives = scores.filter((_, i) => !isPositive(i)).sort();
  if (positives.length === 0 || negatives.length === 0) return undefined;
  let below = 0;
  for (const score of positives)
    below += (countBelow(negatives, score, false) + countBelow(negatives, score, true)) / 2;
  return below / (positives.length * negatives.length);
}

/** How many of the ascending numbers are below a score, or `orEqual`. */
function countBelow(sorted: Float32Array, score: number, orEqual: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < score || (orEqual && sorted[middle] === score)) low = middle + 1;
    else high = middle;
  }
  return low;
}
