/** Shows a run out of the storage, as it was when it ended. */
import { batch } from '@preact/signals';
import { explain } from '../engine';
import { endingOf } from '../run/ending';
import { courseFrom, courseWith, type RedundancyCourse } from '../run/redundancy-course';
import {
  addFinished,
  type EvalEvent,
  evals,
  failure,
  finished,
  imageReports,
  isBusy,
  keepShown,
  live,
  notes,
  phase,
  plan,
  putSteps,
  rate,
  redundancy,
  reset,
  result,
  status,
  warnings,
} from '../run/state';
import { isInMemory } from './run-folder';

/** Where a tab remembers which run it shows: a reload shows it again. */
const KEY = 'refocus-shown';

export function rememberShown(id: string | undefined): void {
  try {
    if (id) sessionStorage.setItem(KEY, id);
    else sessionStorage.removeItem(KEY);
  } catch {
    // a browser that keeps nothing shows the run again by a click
  }
}

export function rememberedRun(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Shows a run that its user asks for, in the place of a failure. */
export async function showRun(id: string): Promise<void> {
  if (isBusy.value) return;
  failure.value = undefined;
  await bringRun(id);
}

/** Shows a run with its curves and all of its results; one that has not ended with what there is. */
export async function bringRun(id: string): Promise<void> {
  const inMemory = finished.value.find((run) => run.id === id);
  if (inMemory) {
    inMemory.show();
    return;
  }
  try {
    const { openRun } = await import('./results');
    const opened = await openRun(id);
    if (isBusy.value) return;
    show(opened);
  } catch (error) {
    failure.value = explain(error);
  }
}

type Opened = Awaited<ReturnType<typeof import('./results').openRun>>;

/** Redundancy as it was told; the course between before and after is that of the log. */
function courseOf({ redundancy: { before, after }, report, metrics, course }: Opened): RedundancyCourse {
  const begun = courseFrom(before, new Map(course?.grams));
  if (after.length === 0) return begun;
  const step = report?.steps ?? metrics.at(-1)?.step ?? 0;
  const points = course?.points ?? begun.points;
  return courseWith({ ...begun, points }, step, after, true);
}

function show(opened: Opened): void {
  const { entry, job, report } = opened;
  const settings = report?.settings ?? job?.settings;
  batch(() => {
    if (settings) reset(settings);
    putSteps(opened.metrics, opened.stepTimes ?? []);
    live.value = opened.live ?? { images: [], looks: [] };
    rate.value = { imagesPerSecond: opened.imagesPerSecond ?? 0, etaSeconds: Number.NaN };
    evals.value = opened.evals.map((told): EvalEvent => ({ type: 'eval', ...told }));
    notes.value = opened.notes;
    warnings.value = opened.warnings;
    imageReports.value = opened.imageReports;
    plan.value = opened.plan;
    redundancy.value = courseOf(opened);
    result.value = opened.result;
    status.value = opened.result ? 'done' : 'failed';
    phase.value = opened.result ? endingOf(opened.result) : `${entry.error ?? 'Cut off'} (${entry.name})`;
  });
  if (!opened.result) return;
  addFinished({ id: entry.id, job, result: opened.result, show: keepShown() }, (one) => !isInMemory(one));
}
