import type { Model } from '../model/model';
import type { RunSettings } from './settings';

/** A batch: so many images of a pass' order, from a position on. */
export interface Batch {
  first: number;
  rows: number;
}

export interface Epoch {
  model: Model;
  /** images for training */
  train: { count: number };
  settings: Pick<RunSettings, 'batch' | 'dropLast' | 'repeats'>;
}

/** Images of every batch of a pass but the last; a set that is smaller is one batch. */
export const wholeBatch = ({ train, settings }: Pick<Epoch, 'train' | 'settings'>): number =>
  Math.min(settings.batch, train.count);

/** Steps of a pass over the images, of which an epoch may have several. */
function stepsPerPass(epoch: Pick<Epoch, 'train' | 'settings'>): number {
  const steps = epoch.train.count / wholeBatch(epoch);
  return epoch.settings.dropLast ? Math.floor(steps) : Math.ceil(steps);
}

export const stepsPerEpoch = (epoch: Pick<Epoch, 'train' | 'settings'>): number =>
  epoch.settings.repeats * stepsPerPass(epoch);

/**
 * The batches of a pass over the images, those of torch.utils.data.DataLoader: what is left over makes a last batch of fewer images, or none
 * with `dropLast`. Batch norm cannot train on one value, so that a single image takes the one before it along: a batch of two.
 */
export function passBatches(epoch: Epoch): Batch[] {
  const { count } = epoch.train;
  const whole = wholeBatch(epoch);
  return Array.from({ length: stepsPerPass(epoch) }, (_, i) => {
    const left = count - i * whole;
    const rows = left === 1 && whole > 1 && hasBatchNorm(epoch.model) ? 2 : Math.min(whole, left);
    return { first: Math.min(i * whole, count - rows), rows };
  });
}

/** Images of the last batch, where it is smaller than the others. */
export function lastBatch(epoch: Epoch): number | undefined {
  const { rows } = passBatches(epoch).at(-1)!;
  return rows < wholeBatch(epoch) ? rows : undefined;
}

/** What the batches of an epoch are, in words. */
export function batchSentence(epoch: Epoch): string {
  const { repeats } = epoch.settings;
  if (repeats === 1) return passSentence(epoch);
  const steps = stepsPerEpoch(epoch);
  return `${passSentence(epoch)} An epoch goes over the images ${repeats} times, each time in another order, cropped and flipped anew: ${steps} steps.`;
}

function passSentence(epoch: Epoch): string {
  const { count } = epoch.train;
  const whole = wholeBatch(epoch);
  const over = count % whole;
  const images = (n: number) => `${n} image${n === 1 ? '' : 's'}`;
  if (whole === count)
    return `One batch of ${images(count)}${epoch.settings.repeats === 1 ? ' an epoch' : ''}.`;
  if (over > 0 && epoch.settings.dropLast)
    return `Batches of ${images(whole)}; each epoch leaves out ${over}, which fill none.`;
  const last = lastBatch(epoch);
  return `Batches of ${images(whole)}${last ? `, the last of an epoch of ${last}` : ''}.`;
}

export const hasBatchNorm = ({ layers }: Model): boolean => layers.some(({ kind }) => kind === 'batch_norm');
