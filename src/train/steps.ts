import type { LabelledImages } from '../data/types';
import type { Model } from '../model/model';
import { METRICS_RING } from '../ops/loss/cross-entropy';
import { classWeights } from './balance';
import { type Batch, epochBatches } from './batches';
import { type MicroBatch, microBatches } from './micro-batches';
import type { RunSettings } from './settings';

interface Taken {
  batch: Batch;
  micro: readonly MicroBatch[];
  /** runs of an epoch before its */
  before: number;
}

/** The steps of a run: a batch each, which one run of a program takes whole or several in micro-batches. */
export class Steps {
  private readonly epoch: readonly Taken[];
  private readonly runsPerEpoch: number;
  /** of each class in the loss */
  private readonly weights?: readonly number[];

  constructor(t: {
    model: Model;
    train: Pick<LabelledImages, 'count' | 'labels' | 'classes'>;
    settings: Pick<RunSettings, 'batch' | 'microBatch' | 'dropLast' | 'balance'>;
  }) {
    let before = 0;
    this.epoch = epochBatches(t).map((batch) => {
      const micro = microBatches(t, batch);
      before += micro.length;
      return { batch, micro, before: before - micro.length };
    });
    this.runsPerEpoch = before;
    if (t.settings.balance === 'loss') this.weights = classWeights(t.train);
  }

  get perEpoch(): number {
    return this.epoch.length;
  }

  /** Steps whose metrics lie in the ring together, with room for as many beside them. */
  get readable(): number {
    return Math.max(1, Math.floor(METRICS_RING / 2 / this.epoch[0].micro.length));
  }

  /** What a step takes, counted from 0 over all epochs. */
  at(step: number): Omit<Taken, 'before'> {
    return this.epoch[step % this.perEpoch];
  }

  /** Runs of training programs before a step: each has a place of its own in the ring, and its own dropout. */
  runsBefore(step: number): number {
    return Math.floor(step / this.perEpoch) * this.runsPerEpoch + this.epoch[step % this.perEpoch].before;
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
