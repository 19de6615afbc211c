import type { Graph } from '../graph/graph';
import type { Tensor } from '../graph/tensor';
import type { Model } from '../model/model';
import { crossEntropy } from '../ops/loss/cross-entropy';
import type { Figures } from './metrics';

export interface LossOptions {
  labelSmoothing: number;
  /** `[c]`, see `crossEntropy` */
  classWeights?: Tensor;
  /** of a batch that is mixed of two, how (see `augment`) */
  mix?: Tensor;
}

/** What a network is trained for. The programs and the trainer know no more of a loss and of metrics than this. */
export interface Task {
  /**
   * Adds the mean loss of a batch behind the logits and gives its gradient with respect to them. Each step writes a row
   * of `sums` numbers into the ring `metrics`, an output `[METRICS_RING, sums]`.
   */
  loss(graph: Graph, logits: Tensor, target: Tensor, options: LossOptions): Tensor;
  /** numbers in a row; rows of several batches add up to a row of all their images */
  sums: number;
  /** what a row says */
  figures(row: ArrayLike<number>): Figures;
  /** how good a network is by its figures: the best of a run has the largest */
  score(figures: Figures): number;
}

/** One class an image. A row is (sum of losses, images told right, images, sum of their weights or 0). */
const classification: Task = {
  loss: (graph, logits, target, options) =>
    crossEntropy(graph, 'loss', logits, target, { ...options, metrics: true }).dlogits,
  sums: 4,
  figures: ({ 0: loss, 1: correct, 2: images, 3: weights }) => ({
    loss: loss / (weights || images),
    accuracy: correct / images,
  }),
  score: ({ accuracy }) => accuracy,
};

const TASKS: Record<Model['task'], Task> = { classification };

export const taskOf = ({ task }: Model): Task => TASKS[task];
