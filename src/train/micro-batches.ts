import { UserError } from '../errors';
import { METRICS_RING } from '../ops/loss/metrics';
import { type Batch, type Epoch, hasBatchNorm, wholeBatch } from './batches';
import type { RunSettings } from './settings';

/** A part of a batch: so many images of an epoch's order, from a position on. */
export interface MicroBatch extends Batch {
  /** whether it is the last of its batch */
  ends: boolean;
}

/** Micro-batches of a batch at most: a step's metrics fit the ring. */
const MOST = METRICS_RING / 2;

/** Images of a micro-batch: a batch's, where batches are taken whole. */
export const microRows = (epoch: Pick<Epoch, 'train'> & { settings: MicroSettings }): number =>
  Math.min(epoch.settings.microBatch, wholeBatch(epoch));

type MicroSettings = Pick<RunSettings, 'batch' | 'microBatch' | 'dropLast' | 'repeats'>;

/**
 * What a batch is taken in, one after the other, where their gradients are added up before the update: micro-batches, the last
 * of what is left over. A single image, on which batch norm cannot train, joins the micro-batch before it.
 */
export function microBatches(
  epoch: Pick<Epoch, 'train' | 'model'> & { settings: MicroSettings },
  { first, rows }: Batch,
): MicroBatch[] {
  const whole = microRows(epoch);
  const isAlone = rows > whole && rows % whole === 1 && hasBatchNorm(epoch.model);
  const count = Math.ceil(rows / whole) - Number(isAlone);
  return Array.from({ length: count }, (_, i) => {
    const ends = i === count - 1;
    return { first: first + i * whole, rows: ends ? rows - i * whole : whole, ends };
  });
}

/**
 * Throws where batches cannot be taken in micro-batches of that size.
 * @throws UserError
 */
export function checkMicroBatch(epoch: Pick<Epoch, 'train' | 'model'> & { settings: MicroSettings }): void {
  const [whole, micro] = [wholeBatch(epoch), microRows(epoch)];
  if (micro === 1 && whole > 1 && hasBatchNorm(epoch.model))
    throw new UserError(
      'Batch norm cannot train on micro-batches of one image: choose a micro-batch of 2 or more.',
    );
  if (Math.ceil(whole / micro) > MOST)
    throw new UserError(
      `A batch of ${whole} images in micro-batches of ${micro} is more than ${MOST} of them: choose a micro-batch of ${Math.ceil(whole / MOST)} or more.`,
    );
}

/** One sentence on micro-batches; nothing where batches are taken whole. */
export function microSentence(
  epoch: Pick<Epoch, 'train' | 'model'> & { settings: MicroSettings },
): string | undefined {
  const micro = microRows(epoch);
  if (micro === wholeBatch(epoch)) return undefined;
  const norms = hasBatchNorm(epoch.model) ? '; batch norm takes the statistics of each micro-batch' : '';
  return `A batch is taken in micro-batches of ${micro}, whose gradients add up to the mean over the batch${norms}.`;
}
