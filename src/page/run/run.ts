/** What start, pause, resume and cancel do to a run. */
import { batch } from '@preact/signals';
import { get } from 'idb-keyval';
import type { EngineApi, ModelSource, TrainJob, TrainResult, TrainSettings } from '../../api';
import { Stopped, UserError } from '../../errors';
import { parseTunings } from '../../run/tunings';
import { isDivergence } from '../../train/divergence';
import { parseSettings } from '../../train/settings';
import { type Trained, trainOn } from '../../worker/go-on';
import { adapter, askAdapter, engine, explain, replaceEngine } from '../engine';
import { rememberStep } from '../forecast/forecast';
import { percent } from '../format';
import { withGpu } from '../gpu-use';
import { readData, readModel } from '../input/sources';
import { misfit } from '../input/verdict';
import { isInMemory } from '../saved/run-folder';
import { type CellName, type Kept, type KeptAs, keepWhile, openToGoOn } from '../saved/store';
import { readSettings } from '../settings/config';
import { endingOf } from './ending';
import { receive, TUNINGS } from './events';
import { follow } from './follow';
import { HandedOver, HandOver } from './hand-over';
import { offerAfter, offerOf } from './offers';
import { takeWatched, tellTabs, whileTabsWatch } from './other-tabs';
import { reloadOnce } from './reload';
import {
  addFinished,
  announcement,
  evals,
  failure,
  finished,
  isBusy,
  keepShown,
  offer,
  phase,
  plan,
  reset,
  result,
  type Status,
  status,
  stepCount,
  steps,
  told,
} from './state';

/** Test images whose predictions are shown while a run trains. */
const LIVE_IMAGES = 12;

type Prepare = () => TrainJob | Promise<TrainJob>;

/** What a run came to: a result, or why there is none. */
type Outcome =
  | { result: TrainResult; failure?: undefined }
  /** `diverged`: it learned at too high a rate */
  | { result?: undefined; failure: string; diverged: boolean };

/** Starts a run from the form; a form that is not complete says so as the run's failure. */
export const start = () =>
  run(() => {
    const job = { ...filesOfForm(), settings: readSettings() };
    // what would fail is said before anything that is there makes room for it
    if (misfit.value) throw new UserError(misfit.value);
    return job;
  });

/**
 * Starts a run on the same images: by another method or with another seed it is a fair comparison, from another network it trains
 * on.
 */
export const runBeside = (
  job: TrainJob,
  change: Partial<Pick<TrainSettings, 'method' | 'seed' | 'head'>>,
  model: ModelSource = job.model,
) =>
  run(() => ({ ...job, model, resume: undefined, settings: parseSettings({ ...job.settings, ...change }) }));

/** Starts a run of an experiment, by whose name it is kept. */
export const startCell = (job: TrainJob, cell: CellName) => run(() => job, { cell });

const filesOfForm = () => ({ model: readModel(), ...readData() });

/** Goes on with a run that is kept; where its files are not, with others: by default those of the form. */
export const resumeSaved = (id: string, files: () => Omit<TrainJob, 'settings'> = filesOfForm) =>
  run(() => openToGoOn(id, files), { id });

/** Goes on here with the run that another tab trains; nothing else begins here while that tab lets go. */
export const takeOver = () =>
  withGpu('training', async () => {
    try {
      const id = await takeWatched();
      await train(() => openToGoOn(id, filesOfForm), { id });
    } catch (error) {
      failure.value = explain(error);
    }
  });

/** @returns undefined where another job has the GPU, too */
const run = (prepare: Prepare, as: KeptAs = {}) => {
  let outcome: Outcome | undefined;
  const job = async () => {
    outcome = await train(prepare, as);
  };
  return withGpu('training', job).then(() => outcome);
};

/**
 * Runs a job. One that is stopped or fails before it has trained anything leaves what was there.
 * @param as the saved run that the job goes on with, or the cell of an experiment that it is
 * @returns undefined where it was stopped before it had a result or thrown away, or another tab goes on with it
 */
async function train(prepare: Prepare, as: KeptAs): Promise<Outcome | undefined> {
  asked = undefined;
  failure.value = undefined;
  offer.value = undefined;
  const showAgain = keepShown();
  let job: TrainJob | undefined;
  const another = (next: TrainJob) => follow(run(() => next));
  try {
    job = { ...(await prepare()), live: LIVE_IMAGES };
    reset(job.settings);
    const tell = (message: string) => receive({ type: 'warning', message });
    if (job.settings.autotune) job.tunings = parseTunings(await get(TUNINGS).catch(() => undefined));
    // The lock keeps a hidden tab running; shared, because runs in two tabs do not disturb each other.
    const begun = job;
    const { result: trained, checkpoint } = await navigator.locks.request(
      'refocus-run',
      { mode: 'shared' },
      () => {
        const handOver = new HandOver();
        return keepWhile(begun, { ...as, tell, lost: handOver.finish }, (kept) =>
          trainAndKeep(begun, kept, handOver),
        );
      },
    );
    rememberStep({ flops: plan.value?.flopsPerStep ?? 0, ms: trained.report.stepMs });
    // a page that came while there was no GPU has found one meanwhile
    if (adapter.value.state === 'missing') askAdapter();
    offer.value = offerAfter(trained.report, checkpoint, begun, another);
    return { result: trained };
  } catch (error) {
    if (error instanceof Stopped || error instanceof HandedOver) {
      showAgain();
      announcement.value = error.message;
      return undefined;
    }
    const why = explain(error);
    batch(() => {
      failure.value = why;
      offer.value = offerOf(error, job, another);
      announcement.value = '';
      if (!isBusy.value) return;
      // a result stays in sight until another run has something to show
      if (stepCount.value === 0 && finished.value.length > 0) showAgain();
      else {
        status.value = 'failed';
        phase.value = stepCount.value > 0 ? `Failed after ${stepCount.value} steps` : 'Failed';
      }
    });
    return { failure: why, diverged: isDivergence(error) };
  }
}

/** Trains; shows what came of it, and keeps it beyond the page. */
async function trainAndKeep(job: TrainJob, kept: Kept, handOver: HandOver): Promise<Trained> {
  // its script comes before the run: a connection that is gone by the end must not cost the result
  const results = import('../saved/results');
  try {
    const saved = { id: kept.id, isKept: () => kept.isKept() };
    const own = {
      id: kept.id,
      obstacle: () =>
        job.settings.checkpointMinutes > 0 && kept.isKept()
          ? undefined
          : 'The run cannot go on in another tab: its files or checkpoints are not in the browser’s storage.',
      handOver: () => void handOver.ask(),
      lost: handOver.finish,
    };
    const trained = await whileTabsWatch(own, () =>
      Promise.race([
        handOver.done,
        trainOn(job, {
          engine: () => ({ train: trainAsAsked }),
          replace: replaceEngine,
          onEvent(event) {
            if (event.type === 'checkpoint') kept.keep(event);
            else {
              receive(event);
              tellTabs(event);
            }
            handOver.hear(event);
          },
          goesOn: () => status.value !== 'cancelling',
          lastWay: reloadOnce(saved),
        }),
      ]),
    );
    const { result: end } = trained;
    const { keepResult } = await results;
    await keepResult(kept, job, end, { ...told(), evals: evals.value });
    batch(() => {
      result.value = end;
      status.value = 'done';
      phase.value = endingOf(end);
      announcement.value = `${phase.value}. Accuracy ${percent(end.report.accuracy.last)}.`;
    });
    const finishedRun = { id: kept.id, job: { ...job, resume: undefined }, result: end, show: keepShown() };
    addFinished(finishedRun, (id) => !isInMemory(id));
    return trained;
  } catch (error) {
    const last = steps[stepCount.value - 1];
    if (last && !(error instanceof Stopped || error instanceof HandedOver)) {
      const { keepBroken } = await results;
      const curves = { metrics: [...steps], evals: evals.value };
      // at its own rate it would diverge again
      const remedy = isDivergence(error) ? error.remedy : undefined;
      const broken = { curves, told: told(), error: explain(error), remedy, epoch: last.epoch };
      await keepBroken(kept, job, broken);
    }
    throw error;
  }
}

/** What an engine that has no run passes over: the run's next engine is asked it again. */
let asked: ((engine: EngineApi) => Promise<void>) | undefined;

/** Trains; a click that came before the engine had the run, or while it changed engines, counts. */
const trainAsAsked: EngineApi['train'] = (job, onEvent) => {
  const trained = engine().train(job, onEvent);
  // messages come in order; what is wrong with the engine, `trained` says
  asked?.(engine()).catch(() => {});
  return trained;
};

/** What the engine is asked; a refusal is shown where the run's failures are. */
async function ask(action: (engine: EngineApi) => Promise<void>, next: Status): Promise<void> {
  try {
    await action(engine());
    // The run may have ended meanwhile.
    if (isBusy.value) status.value = next;
  } catch (error) {
    failure.value = explain(error);
  }
}

function end(action: (engine: EngineApi) => Promise<void>): Promise<void> {
  asked = action;
  status.value = 'cancelling';
  return ask(action, 'cancelling');
}

/** Ends the run and throws away what it has trained; the result that was there before is there again. */
export const discard = () => end((to) => to.cancel(true));
export const cancel = () => end((to) => to.cancel());
/** One step of a run that is paused. */
export const takeStep = () => ask((to) => to.takeStep(), 'paused');
export const pause = () => {
  asked = (to) => to.pause();
  return ask(asked, 'paused');
};
export const resume = () => {
  asked = undefined;
  return ask((to) => to.resume(), 'running');
};
