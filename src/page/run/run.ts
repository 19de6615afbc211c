/** One run of training: its state as signals, and what start, pause, resume and cancel do to it. */
import { batch, computed, effect, type Signal, signal } from '@preact/signals';
import { get, update } from 'idb-keyval';
import type {
  EvalPoint,
  ImageSetReport,
  LayerRedundancy,
  Report,
  StepPoint,
  TrainEvent,
  TrainJob,
  TrainResult,
  TrainSettings,
} from '../../api';
import { Stopped, UserError } from '../../errors';
import { parseTunings } from '../../run/tunings';
import { parseSettings } from '../../train/settings';
import { engine, explain } from '../engine';
import { count, percent } from '../format';
import { labels, readData, readModel, testFiles, trainFiles, weightsFiles } from '../input/sources';
import { misfit } from '../input/verdict';
import { keepWhile, openSavedRun } from '../saved/saved-runs';
import { config, readSettings } from '../settings/config';

export type Status = 'idle' | 'running' | 'paused' | 'cancelling' | 'done' | 'failed';
export type EvalEvent = Extract<TrainEvent, { type: 'eval' }>;
export type PlanEvent = Extract<TrainEvent, { type: 'plan' }>;

export const status = signal<Status>('idle');
export const isBusy = computed(() => ['running', 'paused', 'cancelling'].includes(status.value));
/** what the engine is doing, in its words */
export const phase = signal('');
/** for screen readers: phases and evaluations, not every step */
export const announcement = signal('');
export const failure = signal<string | undefined>(undefined);
export const warnings = signal<string[]>([]);
/** what was recognised or chosen, a sentence each */
export const notes = signal<string[]>([]);
/** what was found in each source of images */
export const imageReports = signal<ImageSetReport[]>([]);
/** settings of the run that the curves belong to */
export const runSettings = signal<TrainSettings | undefined>(undefined);
export const plan = signal<PlanEvent | undefined>(undefined);
export const rate = signal({ imagesPerSecond: 0, etaSeconds: Number.NaN });
export const evals = signal<EvalEvent[]>([]);
export const redundancy = signal<{ before: LayerRedundancy[]; after: LayerRedundancy[] }>({
  before: [],
  after: [],
});
export const result = signal<TrainResult | undefined>(undefined);

/** All steps so far; one array that grows, so `stepCount` tells that it did. */
export const steps: StepPoint[] = [];
export const stepCount = signal(0);

/** The test points of the curves: each evaluation once, by step. */
export const testPoints = computed<EvalPoint[]>(() =>
  evals.value
    .map(({ point }) => point)
    .sort((a, b) => a.step - b.step)
    .filter((point, i, all) => i === 0 || point.step !== all[i - 1].step),
);

export const baseAccuracy = computed(() => evals.value.find(({ which }) => which === 'base')?.point.accuracy);

function reset(settings: TrainSettings): void {
  steps.length = 0;
  batch(() => {
    status.value = 'running';
    phase.value = 'Starting';
    announcement.value = 'Starting';
    runSettings.value = settings;
    plan.value = undefined;
    rate.value = { imagesPerSecond: 0, etaSeconds: Number.NaN };
    evals.value = [];
    warnings.value = [];
    notes.value = [];
    imageReports.value = [];
    redundancy.value = { before: [], after: [] };
    result.value = undefined;
    stepCount.value = 0;
  });
}

/** A run that has come to an end with a result: it stays as long as the page does. */
export interface FinishedRun {
  /** counted from 1 */
  number: number;
  job: TrainJob;
  result: TrainResult;
  /** shows it again, with its curves */
  show: () => void;
}

export const finished = signal<readonly FinishedRun[]>([]);

/** The run whose result is shown. */
export const shownRun = computed(() => finished.value.find((run) => run.result === result.value));

/** The share of its steps that a run has made. */
export const progress = computed(() => {
  const total = plan.value?.steps ?? 0;
  const reached = result.value?.report.ended === 'finished' ? total : (steps[stepCount.value - 1]?.step ?? 0);
  return total > 0 ? Math.min(reached / total, 1) : 0;
});

/** Keeps what is shown of a run; gives what shows it again. */
function keepShown(): () => void {
  const shown: Signal<unknown>[] = [
    status,
    phase,
    runSettings,
    plan,
    rate,
    evals,
    warnings,
    notes,
    imageReports,
    redundancy,
    result,
    stepCount,
  ];
  const values = shown.map(({ value }) => value);
  const points = steps.slice();
  return () =>
    batch(() => {
      steps.length = 0;
      for (const point of points) steps.push(point);
      shown.forEach((one, i) => {
        one.value = values[i];
      });
    });
}

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

/**
 * Runs a job. One that is stopped or fails before it has trained anything leaves what was there.
 * @param savedAs the saved run that the job goes on with
 */
async function run(prepare: () => TrainJob | Promise<TrainJob>, savedAs?: string): Promise<void> {
  if (isBusy.value) return;
  failure.value = undefined;
  const showAgain = keepShown();
  try {
    const job = await prepare();
    reset(job.settings);
    const kept = { id: savedAs, tell: (message: string) => receive({ type: 'warning', message }) };
    if (job.settings.autotune) job.tunings = parseTunings(await get(TUNINGS).catch(() => undefined));
    // The lock keeps a hidden tab running; shared, because runs in two tabs do not disturb each other.
    const trained = await navigator.locks.request('refocus-run', { mode: 'shared' }, () =>
      keepWhile(job, kept, (keep) =>
        engine().train(job, (event) => (event.type === 'checkpoint' ? keep(event) : receive(event))),
      ),
    );
    batch(() => {
      result.value = trained;
      status.value = 'done';
      phase.value = endingOf(trained);
      announcement.value = `${phase.value}. Accuracy ${percent(trained.report.accuracy.last)}.`;
    });
    finished.value = [
      ...finished.value,
      {
        number: finished.value.length + 1,
        job: { ...job, resume: undefined },
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

/** The database's key for what autotune found. */
const TUNINGS = 'tunings';

function receive(event: TrainEvent): void {
  batch(() => {
    switch (event.type) {
      case 'phase':
        phase.value = event.message;
        announcement.value = event.message;
        return;
      case 'warning':
        warnings.value = [...warnings.value, event.message];
        return;
      case 'note':
        notes.value = [...notes.value, event.message];
        return;
      case 'data':
        imageReports.value = event.reports;
        return;
      case 'tuned':
        // a browser that keeps nothing tunes again
        update(TUNINGS, (known) => ({ ...parseTunings(known), [event.key]: event.timed[0].tuning })).catch(
          () => {},
        );
        return;
      case 'plan':
        plan.value = event;
        return;
      case 'steps':
        steps.push(...event.points);
        stepCount.value = steps.length;
        rate.value = event;
        return;
      case 'resumed':
        steps.splice(0, steps.length, ...event.points);
        stepCount.value = steps.length;
        evals.value = [
          ...evals.value.filter(({ which }) => which === 'base'),
          ...event.evals.map((point) => ({ type: 'eval', which: 'epoch', point }) as const),
        ];
        return;
      case 'eval':
        evals.value = [...evals.value, event];
        announcement.value = `${evalNames[event.which]} accuracy ${percent(event.point.accuracy)}`;
        return;
      case 'redundancy':
        redundancy.value = { ...redundancy.value, [event.when]: event.layers };
    }
  });
}

const evalNames: Record<EvalEvent['which'], string> = {
  base: 'Base',
  epoch: 'Test',
  last: 'Last',
  best: 'Best',
};

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

export const pause = () => ask(() => engine().pause(), 'paused');
export const resume = () => ask(() => engine().resume(), 'running');
export const cancel = () => {
  status.value = 'cancelling';
  return ask(() => engine().cancel(), 'cancelling');
};

/** Asks before the page closes on a run, tells of it in the tab's title, and keeps the screen on. */
export function guardRun(): void {
  addEventListener('beforeunload', (event) => {
    if (isBusy.value) event.preventDefault();
  });
  // an error goes with its cause
  effect(() => {
    void [config.value, weightsFiles.value, trainFiles.value, testFiles.value, labels.value];
    failure.value = undefined;
  });
  const title = document.title;
  effect(() => {
    const share = progress.value;
    const words = status.value === 'failed' ? 'Failed' : status.value === 'done' ? 'Done' : undefined;
    const state = isBusy.value ? `${Math.floor(100 * share)} %` : words;
    document.title = state ? `${state} · ${title}` : title;
  });
  let lock: Promise<WakeLockSentinel | undefined> | undefined;
  effect(() => {
    if (status.value === 'running') lock ??= navigator.wakeLock?.request('screen').catch(() => undefined);
    else if (lock) {
      lock.then((held) => held?.release());
      lock = undefined;
    }
  });
}
