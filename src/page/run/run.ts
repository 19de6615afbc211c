/** What start, pause, resume and cancel do to a run. */
import { batch } from '@preact/signals';
import { get } from 'idb-keyval';
import type { Report, TrainJob, TrainResult } from '../../api';
import { Stopped, UserError } from '../../errors';
import { parseTunings } from '../../run/tunings';
import { parseSettings } from '../../train/settings';
import { trainOn } from '../../worker/go-on';
import { engine, explain, replaceEngine } from '../engine';
import { rememberStep } from '../forecast/forecast';
import { count, percent } from '../format';
import { withGpu } from '../gpu-use';
import { readData, readModel } from '../input/sources';
import { misfit } from '../input/verdict';
import { keepWhile, openSavedRun } from '../saved/saved-runs';
import { readSettings } from '../settings/config';
import { receive, TUNINGS } from './events';
import { offerAfter, offerOf } from './offers';
import { tellTabs, whileTabsWatch } from './other-tabs';
import { reloadOnce } from './reload';
import {
  announcement,
  type FinishedRun,
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
} from './state';

/** How a run's end is told. */
function endingOf({ report: { ended, steps } }: TrainResult): string {
  const total = plan.value?.steps ?? steps;
  const at = `${count(steps)} of ${count(total)} steps`;
  const endings: Record<Report['ended'], string> = {
    finished: 'Done',
    stopped: `Stopped after ${at}; what was trained is merged`,
    early: `Ended after ${at}, for it got no better`,
    diverged: `Diverged after ${at}; the last good epoch is merged`,
    failed: `The GPU was lost after ${at}; the last epoch is merged`,
  };
  return endings[ended];
}

/** Test images whose predictions are shown while a run trains. */
const LIVE_IMAGES = 12;

type Prepare = () => TrainJob | Promise<TrainJob>;

/** Starts a run from the form; a form that is not complete says so as the run's failure. */
export const start = () =>
  run(() => {
    const job = { model: readModel(), ...readData(), settings: readSettings() };
    // what would fail is said before anything that is there makes room for it
    if (misfit.value) throw new UserError(misfit.value);
    return job;
  });

/** Starts a run that fine-tunes as long on the same files, by the same settings and seed: the fair comparison. */
export const fineTuneBeside = ({ job }: FinishedRun) =>
  run(() => ({ ...job, settings: parseSettings({ ...job.settings, method: 'finetune' }) }));

/** Goes on with a run that an earlier page left. */
export const resumeSaved = (id: string) => run(() => openSavedRun(id), id);

const run = (prepare: Prepare, savedAs?: string) => withGpu('training', () => train(prepare, savedAs));

/**
 * Runs a job. One that is stopped or fails before it has trained anything leaves what was there.
 * @param savedAs the saved run that the job goes on with
 */
async function train(prepare: Prepare, savedAs?: string): Promise<void> {
  failure.value = undefined;
  offer.value = undefined;
  const showAgain = keepShown();
  let job: TrainJob | undefined;
  const another = (next: TrainJob) => run(() => next);
  try {
    job = { ...(await prepare()), live: LIVE_IMAGES };
    reset(job.settings);
    const kept = { id: savedAs, tell: (message: string) => receive({ type: 'warning', message }) };
    if (job.settings.autotune) job.tunings = parseTunings(await get(TUNINGS).catch(() => undefined));
    // The lock keeps a hidden tab running; shared, because runs in two tabs do not disturb each other.
    const begun = job;
    const { result: trained, checkpoint } = await navigator.locks.request(
      'refocus-run',
      { mode: 'shared' },
      () =>
        keepWhile(begun, kept, (keep, saved) =>
          whileTabsWatch(() =>
            trainOn(begun, {
              engine,
              replace: replaceEngine,
              onEvent(event) {
                if (event.type === 'checkpoint') return keep(event);
                receive(event);
                tellTabs(event);
              },
              goesOn: () => status.value !== 'cancelling',
              lastWay: reloadOnce(saved),
            }),
          ),
        ),
    );
    rememberStep({ flops: plan.value?.flopsPerStep ?? 0, ms: trained.report.stepMs });
    batch(() => {
      result.value = trained;
      offer.value = offerAfter(trained.report, checkpoint, begun, another);
      status.value = 'done';
      phase.value = endingOf(trained);
      announcement.value = `${phase.value}. Accuracy ${percent(trained.report.accuracy.last)}.`;
    });
    finished.value = [
      ...finished.value,
      {
        number: finished.value.length + 1,
        job: { ...begun, resume: undefined },
        result: trained,
        show: keepShown(),
      },
    ];
  } catch (error) {
    if (error instanceof Stopped) {
      showAgain();
      announcement.value = error.message;
      return;
    }
    batch(() => {
      failure.value = explain(error);
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
  }
}

/** What the engine is asked; a refusal is shown where the run's failures are. */
async function ask(action: () => Promise<void>, next: Status): Promise<void> {
  try {
    await action();
    // The run may have ended meanwhile.
    if (isBusy.value) status.value = next;
  } catch (error) {
    failure.value = explain(error);
  }
}

/** Ends the run and throws away what it has trained; the result that was there before is there again. */
export const discard = () => {
  status.value = 'cancelling';
  return ask(() => engine().cancel(true), 'cancelling');
};
/** One step of a run that is paused. */
export const takeStep = () => ask(() => engine().takeStep(), 'paused');
export const pause = () => ask(() => engine().pause(), 'paused');
export const resume = () => ask(() => engine().resume(), 'running');
export const cancel = () => {
  status.value = 'cancelling';
  return ask(() => engine().cancel(), 'cancelling');
};
