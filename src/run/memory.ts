import { OutOfMemory, UserError } from '../errors';
import { hasBatchNorm } from '../train/batches';
import { microRows } from '../train/micro-batches';
import type { TrainSettings } from '../train/settings';
import type { Training } from '../train/training-session';

/**
 * Does what needs a step's memory. Where the device has too little, the run's batches are taken in micro-batches, of half as many
 * images until they fit: `training` is changed. Where the size of micro-batches was given, the error proposes another.
 * @throws UserError where not even the smallest fits
 */
export async function withinMemory<T>(
  training: Training,
  asked: Pick<TrainSettings, 'microBatch'>,
  warn: (message: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      const rows = smaller(training, error);
      if (rows === undefined) throw error;
      if (asked.microBatch !== 'auto')
        throw new UserError(
          `${error.message} Or take each batch in smaller micro-batches, of ${rows} images (--micro-batch ${rows}).`,
          { microBatch: rows },
        );
      training.settings = { ...training.settings, microBatch: rows };
      const norms = hasBatchNorm(training.model) ? ', and batch norm takes the statistics of each' : '';
      warn(
        `The GPU has too little memory for a batch of ${training.settings.batch} images: micro-batches of ${rows} are tried, whose gradients add up${norms}. The same on a larger GPU: --micro-batch ${rows}.`,
      );
    }
  }
}

/** The next smaller micro-batch that may fit; undefined where there is none. */
function smaller(training: Training, { share }: OutOfMemory): number | undefined {
  const now = microRows(training);
  const least = hasBatchNorm(training.model) ? 2 : 1;
  let rows = now;
  do rows = Math.floor(rows / 2);
  while (rows > now * share);
  return rows >= least ? rows : undefined;
}
