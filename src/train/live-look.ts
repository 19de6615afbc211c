import { evaluationOrder } from '../data/order';
import type { LabelledImages } from '../data/types';

/** What the network says of an image. */
export interface LivePrediction {
  /** of the image's own class */
  probability: number;
  /** the likeliest classes, the surest first */
  top: { label: number; probability: number }[];
}

export interface LiveObserver {
  /** numbers of test images */
  images: readonly number[];
  told(step: number, predictions: LivePrediction[]): void;
}

/** Milliseconds between two looks: often enough to see numbers move. */
const EVERY_MS = 3000;
/** Looks take at most one part in so many of a run's time. */
const SHARE = 50;
/** Classes that are told of an image. */
const TOP = 3;

/**
 * Looks between two steps at what the network says of some test images. It takes the evaluation's program, and writes nothing that
 * a step reads: a run comes to the same bits with it and without.
 */
export class LiveLook {
  private readonly order: Uint32Array<ArrayBuffer>;
  private last = performance.now();
  /** milliseconds that the last one took */
  private cost = 0;

  /** @param logits of the first `count` images in that order, rows perhaps padded */
  constructor(
    private readonly observer: LiveObserver,
    private readonly test: Pick<LabelledImages, 'count' | 'labels' | 'classes'>,
    private readonly logits: (order: Uint32Array<ArrayBuffer>, count: number) => Promise<Float32Array>,
  ) {
    this.order = orderFrom(observer.images, test.count);
  }

  get isDue(): boolean {
    return performance.now() - this.last >= Math.max(EVERY_MS, SHARE * this.cost);
  }

  async look(step: number): Promise<void> {
    const { images, told } = this.observer;
    const begun = performance.now();
    const logits = await this.logits(this.order, images.length);
    this.last = performance.now();
    this.cost = this.last - begun;
    const stride = logits.length / images.length;
    const { labels, classes } = this.test;
    const row = (i: number) => logits.subarray(i * stride, i * stride + classes.length);
    told(
      step,
      images.map((image, i) => predictionOf(row(i), labels[image])),
    );
  }
}

/**
 * Images to look at: of each class in turn, as they come in an evaluation's order.
 * @param most of them
 */
export function chooseImages(
  { count, labels }: Pick<LabelledImages, 'count' | 'labels'>,
  most: number,
): number[] {
  const rounds: number[][] = [];
  const taken = new Map<number, number>();
  for (const image of evaluationOrder(count)) {
    const round = taken.get(labels[image]) ?? 0;
    taken.set(labels[image], round + 1);
    rounds[round] ??= [];
    rounds[round].push(image);
  }
  const byClass = (a: number, b: number) => labels[a] - labels[b];
  return rounds.flatMap((round) => round.toSorted(byClass)).slice(0, most);
}

/** All images of a set, those first. */
function orderFrom(first: readonly number[], count: number): Uint32Array<ArrayBuffer> {
  const known = new Set(first);
  const others = evaluationOrder(count).filter((image) => !known.has(image));
  return Uint32Array.from([...first, ...others]);
}

/** Softmax of a row of logits; where they are not finite, nothing is likely. */
export function predictionOf(logits: Float32Array, label: number): LivePrediction {
  const most = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = Array.from(logits, (x) => Math.exp(x - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  const probabilities = powers.map((power) => (Number.isFinite(power / sum) ? power / sum : 0));
  const top = probabilities
    .map((probability, index) => ({ label: index, probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, TOP);
  return { probability: probabilities[label], top };
}
