import { closeImages } from '../data/pixels';
import { Stopped, UserError } from '../errors';
import { stepsPerEpoch } from '../train/batches';
import type { Pace } from '../train/observer';
import {
  hasDiverged,
  RATE_SEARCH,
  type RateCurve,
  type RatePoint,
  type RateSearchOptions,
  rateCurve,
} from '../train/rate-search';
import { TrainingSession } from '../train/training-session';
import type { RunContext, TrainJob } from './job';
import { type Loaded, load, prepare, withStartNorms } from './load';
import { withinMemory } from './memory';

/** A curve that says how it came to its end. */
export interface RateSearch extends RateCurve {
  ended: 'finished' | 'diverged' | 'stopped';
}

/** Steps of a search at most. */
const MOST_STEPS = 10_000;

/**
 * Looks for a learning rate: trains as the job would, everything at once, for some steps at rates that grow by equal factors,
 * until the loss has left all sense. Nothing of that is kept. The same job gives the same curve on the same adapter.
 * @throws UserError on rates that make no range, or where a run could not begin
 */
export async function findRate(
  job: TrainJob,
  context: RunContext,
  { from = RATE_SEARCH.from, to = RATE_SEARCH.to, steps = RATE_SEARCH.steps }: RateSearchOptions = {},
): Promise<RateSearch> {
  if (!(from > 0 && to > from && Number.isFinite(to)))
    throw new UserError(
      `The rates ${from} to ${to} are no range: choose a first one above 0 and a higher last one.`,
    );
  if (!(Number.isInteger(steps) && steps >= 10 && steps <= MOST_STEPS))
    throw new UserError(`${steps} steps are no search: choose 10 to ${MOST_STEPS}.`);
  const goOn = () => {
    if (context.control.cancelled) throw new Stopped('Stopped before a rate was tried.');
  };
  const loaded = await load(job, { ...context, goOn });
  try {
    goOn();
    return await search(loaded, job, context, { from, to, steps });
  } finally {
    await closeImages(loaded.train, loaded.test);
  }
}

/** A search's steps wait for each other: their time says nothing of a training's. */
const UNTIMED: Pace = { imagesPerSecond: Number.NaN, etaSeconds: Number.NaN, stepMs: Number.NaN };

/** The search with everything loaded. */
async function search(
  { network, train, test, settings }: Loaded,
  job: TrainJob,
  { control, emit, gpu: device }: RunContext,
  { from, to, steps }: Required<RateSearchOptions>,
): Promise<RateSearch> {
  const plain = { ...settings, headEpochs: 0, ema: 0 };
  const training = prepare(network, train, test, {
    ...plain,
    epochs: Math.ceil(steps / stepsPerEpoch({ train, settings })),
  });
  training.schedule = { kind: 'exponential', lr: from, to, steps };
  const gpu = await device();
  await withStartNorms(gpu, training, network, () => {});
  emit({ type: 'phase', phase: 'compile', message: 'Compiling the training step' });
  const warning = (message: string) => emit({ type: 'warning', message });
  const ready = await withinMemory(training, job.settings, warning, () =>
    TrainingSession.create(gpu, training),
  );
  const points: RatePoint[] = [];
  let ended: RateSearch['ended'] = 'finished';
  try {
    emit({ type: 'phase', phase: 'train', message: `Trying ${steps} rates from ${from} to ${to}` });
    for (let i = 0; i < steps && ended === 'finished'; i++) {
      await control.paused;
      const point = await ready.explore();
      points.push({ lr: point.lr, loss: point.loss });
      emit({ type: 'steps', points: [point], ...UNTIMED });
      if (hasDiverged(points, train.classes.length)) ended = 'diverged';
      else if (control.cancelled) ended = 'stopped';
    }
  } finally {
    ready.session.destroy();
  }
  return { ...rateCurve(points, steps), ended };
}
