import type { LabelledImages } from '../data/types';
import type { Model } from '../model/model';
import { METRICS_RING } from '../ops/loss/metrics';
import { classWeights } from './balance';
import { type Batch, passBatches } from './batches';
import { type MicroBatch, microBatches } from './micro-batches';
import type { RunSettings } from './settings';

interface Taken {
  batch: Batch;
  micro: readonly MicroBatch[];
  /** runs of a pass before its */
  before: number;
}

/** The steps of a run: a batch each, which one run of a program takes whole or several in micro-batches. */
export class Steps {
  /** over the images, of which an epoch may have several */
  private readonly pass: readonly Taken[];
  private readonly runsPerPass: number;
  readonly perEpoch: number;
  /** of each class in the loss */
  private readonly weights?: readonly number[];

  constructor(t: {
    model: Model;
    train: Pick<LabelledImages, 'count' | 'labels' | 'classes'>;
    settings: Pick<RunSettings, 'batch' | 'microBatch' | 'dropLast' | 'balance' | 'repeats'>;
  }) {
    let before = 0;
    this.pass = passBatches(t).map((batch) => {
      const micro = microBatches(t, batch);
      before += micro.length;
      return { batch, micro, before: before - micro.length };
    });
    this.runsPerPass = before;
    this.perEpoch = t.settings.repeats * this.pass.length;
    if (t.settings.balance === 'loss') this.weights = classWeights(t.train);
  }

  /** Steps whose metrics lie in the ring together, with room for as many beside them. */
  get readable(): number {
    return Math.max(1, Math.floor(METRICS_RING / 2 / this.pass[0].micro.length));
  }

  /** What a step takes, counted from 0 over all epochs. */
  at(step: number): Omit<Taken, 'before'> {
    return this.pass[step % this.pass.length];
  }

  /** The pass over the images that a step belongs to, counted from 0 over all epochs. */
  passOf(step: number): number {
    return Math.floor(step / this.pass.length);
  }

  /** Runs of training programs before a step: each has a place of its own in the ring, and its own dropout. */
  runsBefore(step: number): number {
    return this.passOf(step) * this.runsPerPass + this.pass[step % this.pass.length].before;
  }

  /** What the loss of a step's batch is divided by: its images, or the sum of their weights. */
  weight(step: number, order: Uint32Array, labels: ArrayLike<number>): number {
    const { batch } = this.at(step);
    const { weights } = this;
    if (!weights) return batch.rows;
    const images = order.subarray(batch.first, batch.first + batch.rows);
    return images.reduce((sum, image) => sum + weights[labels[image]], 0);
  }

  /** The row of a step out of the ring of metrics, `sums` numbers: what its runs wrote there, added up. */
  metrics(step: number, ring: Float32Array, sums: number): number[] {
    const row = new Array<number>(sums).fill(0);
    const first = this.runsBefore(step);
    for (let run = first; run < first + this.at(step).micro.length; run++)
      for (let i = 0; i < sums; i++) row[i] += ring[(run % METRICS_RING) * sums + i];
    return row;
  }
}
