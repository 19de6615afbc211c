/** What networks are trained for: a loss, what it compares the logits with, and the figure that counts. */
import { averagePrecisions, matchDetections, rankDetections } from '../analysis/detection';
import { intersectionOverUnion, meanOfClasses } from '../analysis/segmentation';
import type { LabelledImages } from '../data/types';
import type { Graph } from '../graph/graph';
import { pad4, type Tensor } from '../graph/tensor';
import { headChannels, type Model } from '../model/model';
import { crossEntropy } from '../ops/loss/cross-entropy';
import { CELL_NUMBERS, detectionLoss } from '../ops/loss/detection';
import { pixelCrossEntropy } from '../ops/loss/pixel-cross-entropy';
import { decodeObjects, encodeObjects, gridOf } from './boxes';
import type { Figures } from './metrics';

export interface LossOptions {
  labelSmoothing: number;
  /** `[c]`, see `crossEntropy` */
  classWeights?: Tensor;
  /** of a batch that is mixed of two, how (see `augment`) */
  mix?: Tensor;
}

/** Sides of images, pixels. */
export interface Sides {
  height: number;
  width: number;
}

/** What images are to be told as where that is more than a class: numbers that go to the GPU beside them. */
export interface Targets {
  /** of an image, a multiple of four */
  size(sides: Sides): number;
  /** `[images, size]` */
  of(images: LabelledImages): Float32Array<ArrayBuffer>;
}

/** What a network is trained for. The programs and the trainer know no more of a loss and of metrics than this. */
export interface Task {
  /**
   * Adds the mean loss of a batch behind the logits and gives its gradient with respect to them. Each step writes a row
   * of `sums` numbers into the ring `metrics`, an output `[METRICS_RING, sums]`.
   */
  loss(graph: Graph, logits: Tensor, target: Tensor, options: LossOptions): Tensor;
  /** absent: the class of each image */
  targets?: Targets;
  /** numbers in a row; rows of several batches add up to a row of all their images */
  sums: number;
  /** what a row says */
  figures(row: ArrayLike<number>): Figures;
  /** the figure of a whole set where sums cannot tell it; absent: they do. `logits`: those of the images in that order, as they lie */
  measure?(logits: Float32Array, order: ArrayLike<number>, images: LabelledImages): number;
  /** how good a network is by its figures: the best of a run has the largest */
  score(figures: Figures): number;
}

const score = ({ accuracy }: Figures): number => accuracy;

/** One class an image. A row is (sum of losses, images told right, images, sum of their weights or 0). */
const classification: Task = {
  loss: (graph, logits, target, options) =>
    crossEntropy(graph, 'loss', logits, target, { ...options, metrics: true }).dlogits,
  sums: 4,
  figures: ({ 0: loss, 1: correct, 2: images, 3: weights }) => ({
    loss: loss / (weights || images),
    accuracy: correct / images,
  }),
  score,
};

/** A class a pixel; the figure is mIoU over the pixels of all images, what is of no class a class of its own. */
const segmentation = ({ head, task }: Model): Task => ({
  loss: (graph, logits, target) => {
    checkGrid(logits, target.shape[1]);
    return pixelCrossEntropy(graph, 'loss', logits, target).dlogits;
  },
  targets: {
    size: ({ height, width }) => height * width,
    of: (images) => Float32Array.from(images.truth!.masks),
  },
  sums: 4 * (1 + headChannels(task, head.classes)),
  figures: (row) => ({
    loss: row[0] / row[2],
    accuracy: meanOfClasses(intersectionOverUnion(Array.from(row).filter((_, i) => i >= 4 && i % 4 < 3))),
  }),
  score,
});

/**
 * Objects' boxes and classes. Of training batches the figure is the share of objects' cells that are told rightly, of a whole set the
 * mean over the classes of average precision at an overlap of half.
 */
const detection = ({ head, task }: Model): Task => ({
  loss: (graph, logits, target) => {
    checkGrid(logits, target.shape[1] / CELL_NUMBERS);
    return detectionLoss(graph, 'loss', logits, target).dlogits;
  },
  targets: {
    size: (sides) => cellsOf(sides) * CELL_NUMBERS,
    of: (images) => {
      const size = cellsOf(images) * CELL_NUMBERS;
      const targets = new Float32Array(images.count * size);
      for (const [i, objects] of images.truth!.objects.entries())
        encodeObjects(objects, gridOf(images), targets.subarray(i * size, (i + 1) * size));
      return targets;
    },
  },
  sums: 4,
  figures: ({ 0: loss, 1: right, 2: images, 3: cells }) => ({
    loss: loss / images,
    accuracy: right / (cells || 1),
  }),
  measure: (logits, order, images) => {
    const { classes } = head;
    const grid = gridOf(images);
    const stride = pad4(headChannels(task, classes));
    const size = cellsOf(images) * stride;
    const matched = Array.from({ length: logits.length / size }, (_, i) => {
      const of = { logits: logits.subarray(i * size, (i + 1) * size), stride, classes, grid };
      return matchDetections(decodeObjects(of), images.truth!.objects[order[i]]);
    });
    return meanOfClasses(averagePrecisions(rankDetections(matched, classes)));
  },
  score,
});

function cellsOf(sides: Sides): number {
  const { rows, columns } = gridOf(sides);
  return rows * columns;
}

function checkGrid({ shape: [, h, w] }: Tensor, places: number): void {
  if (h * w !== places) throw new Error(`logits of ${h} x ${w} places, targets of ${places}`);
}

export function taskOf(model: Model): Task {
  switch (model.task) {
    case 'classification':
      return classification;
    case 'segmentation':
      return segmentation(model);
    case 'detection':
      return detection(model);
  }
}

/** Whether a network tells one class an image. */
export const isClassifier = ({ task }: Pick<Model, 'task'>): boolean => task === 'classification';
