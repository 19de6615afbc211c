import type { Model } from '../model/model';
import type { RunSettings } from './settings';

/** A batch of an epoch: so many images of its order, from a position on. */
export interface Batch {
  first: number;
  rows: number;
}

export interface Epoch {
  model: Model;
  /** images for training */
  train: { count: number };
  settings: Pick<RunSettings, 'batch' | 'dropLast'>;
}

/** Images of every batch of an epoch but the last; a set that is smaller is one batch. */
export const wholeBatch = ({ train, settings }: Pick<Epoch, 'train' | 'settings'>): number =>
  Math.min(settings.batch, train.count);

export function stepsPerEpoch(epoch: Pick<Epoch, 'train' | 'settings'>): number {
  const steps = epoch.train.count / wholeBatch(epoch);
  return epoch.settings.dropLast ? Math.floor(steps) : Math.ceil(steps);
}

/**
 * The batches of an epoch, those of torch.utils.data.DataLoader: what is left over makes a last batch of fewer images, or none
 * with `dropLast`. Batch norm cannot train on one value, so that a single image takes the one before it along: a batch of two.
 */
export function epochBatches(epoch: Epoch): Batch[] {
  const { count } = epoch.train;
  const whole = wholeBatch(epoch);
  return Array.from({ length: stepsPerEpoch(epoch) }, (_, i) => {
    const left = count - i * whole;
    const rows = left === 1 && whole > 1 && hasBatchNorm(epoch.model) ? 2 : Math.min(whole, left);
    return { first: Math.min(i * whole, count - rows), rows };
  });
}

/** Images of the last batch, where it is smaller than the others. */
export function lastBatch(epoch: Epoch): number | undefined {
  const { rows } = epochBatches(epoch).at(-1)!;
  return rows < wholeBatch(epoch) ? rows : undefined;
}

/** One sentence on the batches of an epoch. */
export function batchSentence(epoch: Epoch): string {
  const { count } = epoch.train;
  const whole = wholeBatch(epoch);
  const over = count % whole;
  const images = (n: number) => `${n} image${n === 1 ? '' : 's'}`;
  if (whole === count) return `One batch of ${images(count)} an epoch.`;
  if (over > 0 && epoch.settings.dropLast)
    return `Batches of ${images(whole)}; each epoch leaves out ${over}, which fill none.`;
  const last = lastBatch(epoch);
  return `Batches of ${images(whole)}${last ? `, the last of an epoch of ${last}` : ''}.`;
}

export const hasBatchNorm = ({ layers }: Model): boolean => layers.some(({ kind }) => kind === 'batch_norm');
