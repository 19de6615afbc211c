/** One run of training as signals: what the page shows of it, and the runs that have come to an end. */
import { batch, computed, type Signal, signal } from '@preact/signals';
import type {
  EvalPoint,
  GramSpectrum,
  ImageSetReport,
  LiveImage,
  LivePrediction,
  StepPoint,
  TrainEvent,
  TrainJob,
  TrainResult,
  TrainSettings,
} from '../../api';
import { series } from '../gpu-use';
import { noCourse, type RedundancyCourse } from './redundancy-course';

/** `watching`: a run of another tab */
export type Status = 'idle' | 'watching' | 'running' | 'paused' | 'cancelling' | 'done' | 'failed';
export type EvalEvent = Extract<TrainEvent, { type: 'eval' }>;
export type PlanEvent = Extract<TrainEvent, { type: 'plan' }>;

export const status = signal<Status>('idle');
export const isBusy = computed(() => ['running', 'paused', 'cancelling'].includes(status.value));
/** whether a run goes on, or another of several is about to begin */
export const isUnderWay = computed(() => isBusy.value || series.value !== undefined);
/** what the engine is doing, in its words */
export const phase = signal('');
/** for screen readers: phases and evaluations, not every step */
export const announcement = signal('');
export const failure = signal<string | undefined>(undefined);
/** the page reloads itself, and asks nobody */
export const isLeaving = signal(false);
/** what can be done by one click about how a run ended */
export const offer = signal<Offer | undefined>(undefined);
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
export const redundancy = signal<RedundancyCourse>(noCourse);
export const result = signal<TrainResult | undefined>(undefined);

/** All steps so far; one array that grows, so `stepCount` tells that it did. */
export const steps: StepPoint[] = [];
/** milliseconds of each of them */
export const stepTimes: number[] = [];
export const stepCount = signal(0);

/**
 * Shows other steps.
 * @param times milliseconds of each, where they are known
 */
export function putSteps(points: readonly StepPoint[], times: readonly number[]): void {
  steps.length = 0;
  stepTimes.length = 0;
  // one by one: a function takes no hundred thousand arguments
  for (const [i, point] of points.entries()) {
    steps.push(point);
    stepTimes.push(times[i] ?? Number.NaN);
  }
  stepCount.value = steps.length;
}

/** what the network says of some test images, look by look */
export const live = signal<Live>({ images: [], looks: [] });

/** The test points of the curves: each evaluation once, by step. */
export const testPoints = computed<EvalPoint[]>(() =>
  evals.value
    .map(({ point }) => point)
    .sort((a, b) => a.step - b.step)
    .filter((point, i, all) => i === 0 || point.step !== all[i - 1].step),
);

export const baseAccuracy = computed(() => evals.value.find(({ which }) => which === 'base')?.point.accuracy);

/** A way on, and its button. */
export interface Offer {
  label: string;
  take: () => void;
}

export interface Live {
  images: readonly LiveImage[];
  looks: readonly { step: number; predictions: readonly LivePrediction[] }[];
}

/** Empties what is shown, for a run that begins. */
export function reset(settings: TrainSettings): void {
  steps.length = 0;
  stepTimes.length = 0;
  batch(() => {
    status.value = 'running';
    if (series.value) series.value = { ...series.value, isBegun: true };
    offer.value = undefined;
    live.value = { images: [], looks: [] };
    phase.value = 'Starting';
    announcement.value = 'Starting';
    runSettings.value = settings;
    plan.value = undefined;
    rate.value = { imagesPerSecond: 0, etaSeconds: Number.NaN };
    evals.value = [];
    warnings.value = [];
    notes.value = [];
    imageReports.value = [];
    redundancy.value = noCourse;
    result.value = undefined;
    stepCount.value = 0;
  });
}

/** What a run told on its way. */
export interface Told {
  notes: string[];
  warnings: string[];
  plan?: PlanEvent;
  imageReports: ImageSetReport[];
  /** how redundancy went, and what maps could change of it */
  course?: { points: RedundancyCourse['points']; grams: [string, GramSpectrum][] };
  /** milliseconds of each step */
  stepTimes?: number[];
  imagesPerSecond?: number;
  live?: Live;
}

/** A run that has come to an end, with its result in memory. */
export interface FinishedRun {
  /** its place in the browser's storage */
  id: string;
  /** absent where its network and images are not here */
  job?: TrainJob;
  result: TrainResult;
  /** shows it again, with its curves */
  show: () => void;
}

/** The runs whose results are in memory; all runs are listed in saved/entries.ts. */
export const finished = signal<readonly FinishedRun[]>([]);

/** Runs whose results are in memory at most, besides those that are nowhere else. */
const MOST_IN_MEMORY = 4;

/** @param isElsewhere whether a run can be read again, so that it may leave the memory */
export function addFinished(run: FinishedRun, isElsewhere: (id: string) => boolean): void {
  const others = finished.value.filter(({ id }) => id !== run.id);
  const removable = others.filter(({ id }) => isElsewhere(id));
  const gone = new Set(removable.slice(0, Math.max(0, removable.length - MOST_IN_MEMORY + 1)));
  finished.value = [...others.filter((one) => !gone.has(one)), run];
}

/** The run whose result is shown. */
export const shownRun = computed(() => finished.value.find((run) => run.result === result.value));

/** The share of its steps that a run has made. */
export const progress = computed(() => {
  const total = plan.value?.steps ?? 0;
  const reached = result.value?.report.ended === 'finished' ? total : (steps[stepCount.value - 1]?.step ?? 0);
  return total > 0 ? Math.min(reached / total, 1) : 0;
});

/** What has been told of the run so far. */
export const told = (): Told => ({
  notes: notes.value,
  warnings: warnings.value,
  plan: plan.value,
  imageReports: imageReports.value,
  course: { points: redundancy.value.points, grams: [...redundancy.value.grams] },
  stepTimes: [...stepTimes],
  imagesPerSecond: rate.value.imagesPerSecond,
  live: live.value,
});

/** Keeps what is shown of a run; gives what shows it again. */
export function keepShown(): () => void {
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
    live,
    offer,
  ];
  const values = shown.map(({ value }) => value);
  const points = steps.slice();
  const times = stepTimes.slice();
  return () =>
    batch(() => {
      putSteps(points, times);
      shown.forEach((one, i) => {
        one.value = values[i];
      });
    });
}
