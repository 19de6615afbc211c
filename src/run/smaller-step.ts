/** What a step that does not fit the memory is made of instead. */
import { type OutOfMemory, OverLimit, UserError } from '../errors';
import { hasBatchNorm } from '../train/batches';
import { microRows } from '../train/micro-batches';
import { planTraining, readyForLimit } from '../train/programs';
import { stepGraph } from '../train/run-programs';
import type { RunSettings, TrainSettings } from '../train/settings';
import type { Training } from '../train/training-session';

/** Settings that may fit, and what is said of them. */
interface Next {
  settings: Partial<RunSettings>;
  message: string;
}

/**
 * The settings to try next; undefined where none are left.
 * @throws UserError with a proposal where the settings that would have to change were given
 */
export const smallerStep = async (
  training: Training,
  asked: Pick<TrainSettings, 'microBatch' | 'memory'>,
  error: OutOfMemory,
): Promise<Next | undefined> =>
  (await limited(training, asked, error)) ?? inMicroBatches(training, asked, error);

/** A limit below what the step takes now, and by how much it takes less at least to be worth a try. */
const WORTH = 0.9;

async function limited(
  training: Training,
  asked: Pick<TrainSettings, 'memory'>,
  { share, inAll }: OutOfMemory,
): Promise<Next | undefined> {
  if (!inAll || asked.memory > 0) return undefined;
  await readyForLimit({ memory: 1 });
  const step = stepGraph(training);
  const { settings, tuning } = training;
  const peakOf = (memory: number) => planTraining(step, { ...settings, memory }, { tuning }).totals.peakBytes;
  const now = peakOf(settings.memory);
  const memory = leastOr((now * share) / 1e6, peakOf);
  if (memory * 1e6 > WORTH * now) return undefined;
  return {
    settings: { memory },
    message: `The GPU has too little memory for a step that keeps all it computes (${Math.ceil(now / 1e6)} MB): one of ${memory} MB is tried, which computes parts twice, with the same results. The same on a larger GPU: --memory ${memory}.`,
  };
}

/** That limit in megabytes, or the least that a step keeps within. */
function leastOr(limit: number, peakOf: (memory: number) => number): number {
  try {
    return Math.ceil(peakOf(Math.ceil(limit)) / 1e6);
  } catch (error) {
    if (error instanceof OverLimit) return Math.ceil(error.least / 1e6);
    throw error;
  }
}

function inMicroBatches(
  training: Training,
  asked: Pick<TrainSettings, 'microBatch'>,
  error: OutOfMemory,
): Next | undefined {
  const rows = smaller(training, error);
  if (rows === undefined) return undefined;
  if (asked.microBatch !== 'auto')
    throw new UserError(
      `${error.message} Or take each batch in smaller micro-batches, of ${rows} images (--micro-batch ${rows}).`,
      { microBatch: rows },
    );
  const { model, settings } = training;
  const norms = hasBatchNorm(model) ? ', and batch norm takes the statistics of each' : '';
  const why =
    error instanceof OverLimit
      ? `A batch of ${settings.batch} images does not fit the memory limit of ${Math.floor(error.limit / 1e6)} MB, it takes at least ${Math.ceil(error.least / 1e6)} MB`
      : `The GPU has too little memory for a batch of ${settings.batch} images`;
  return {
    settings: { microBatch: rows },
    message: `${why}: micro-batches of ${rows} are tried, whose gradients add up${norms}. The same on a larger GPU: --micro-batch ${rows}.`,
  };
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
