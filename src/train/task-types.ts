/** What networks are trained for: a loss, what it compares the logits with, and the figure that counts. Types only. */
import type { LabelledImages } from '../data/types';
import type { Graph } from '../graph/graph';
import type { Tensor } from '../graph/tensor';
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
