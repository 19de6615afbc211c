import { OutOfMemory } from '../errors';
import type { TrainSettings } from '../train/settings';
import type { Training } from '../train/training-session';

/**
 * Does what needs a step's memory. Where the device has too little, parts of the step are computed twice, which changes no result;
 * where that is not enough, or one buffer is too large, the run's batches are taken in micro-batches, of half as many images until
 * they fit: `training` is changed. Where the limit of memory or the size of micro-batches was given, that one stays, and where
 * nothing else is left the error proposes another.
 * @throws UserError where not even the smallest fits
 */
export async function withinMemory<T>(
  training: Training,
  asked: Pick<TrainSettings, 'microBatch' | 'memory'>,
  warn: (message: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      // few runs need it: a page's worker begins without
      const { smallerStep } = await import('./smaller-step');
      const next = await smallerStep(training, asked, error);
      if (!next) throw error;
      training.settings = { ...training.settings, ...next.settings };
      warn(next.message);
    }
  }
}
