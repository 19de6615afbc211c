/** One run of training: its state as signals, and what start, pause, resume and cancel do to it. */
import { batch, computed, type Signal, signal } from '@preact/signals';
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
import { Stopped } from '../../errors';
import { parseTunings } from '../../run/tunings';
import { engine, explain } from '../engine';
import { percent } from '../format';
import { readData, readModel } from '../input/sources';
import { readSettings } from '../settings/config';

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
const endings: Record<Report['ended'], string> = {
  finished: 'Done',
  stopped: 'Stopped early; what was trained is merged',
  early: 'Ended early, for it got no better',
  diverged: 'The run diverged; its last good epoch is merged',
  failed: 'The GPU was lost; the last epoch is merged',
};

/**
 * Starts a run from the form; a form that is not complete says so as the run's failure. One that is stopped before it has
 * trained anything leaves what was there.
 */
export async function start(): Promise<void> {
  if (isBusy.value) return;
  failure.value = undefined;
  const showAgain = keepShown();
  try {
    const job: TrainJob = { model: readModel(), ...readData(), settings: readSettings() };
    reset(job.settings);
    if (job.settings.autotune) job.tunings = parseTunings(await get(TUNINGS).catch(() => undefined));
    // The lock keeps a hidden tab running; shared, because runs in two tabs do not disturb each other.
    const trained = await navigator.locks.request('refocus-run', { mode: 'shared' }, () =>
      engine().train(job, receive),
    );
    batch(() => {
      result.value = trained;
      status.value = 'done';
      phase.value = endings[trained.report.ended];
      announcement.value = `${phase.value}. Accuracy ${percent(trained.report.accuracy.last)}.`;
    });
  } catch (error) {
    if (error instanceof Stopped) {
      showAgain();
      announcement.value = error.message;
      return;
    }
    batch(() => {
      failure.value = explain(error);
      if (isBusy.value) status.value = 'failed';
      announcement.value = '';
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

/** Asks before the page closes on a run. */
export function guardRun(): void {
  addEventListener('beforeunload', (event) => {
    if (isBusy.value) event.preventDefault();
  });
}
