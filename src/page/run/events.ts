/** What a run tells while it goes on, put where the page shows it. */
import { batch } from '@preact/signals';
import { update } from 'idb-keyval';
import type { TrainEvent } from '../../api';
import { parseTunings } from '../../run/tunings';
import { percent } from '../format';
import { inFormWords } from '../settings/form-words';
import { courseFrom, courseWith } from './redundancy-course';
import {
  announcement,
  type EvalEvent,
  evals,
  imageReports,
  live,
  notes,
  phase,
  plan,
  putSteps,
  rate,
  redundancy,
  stepCount,
  steps,
  stepTimes,
  warnings,
} from './state';
import { thinned } from './thinned';

/** The database's key for what autotune found. */
export const TUNINGS = 'tunings';

/** Of a phase's words, how many of its things are done. */
const COUNT = /: \d+ of \d+.*$/;

export function receive(event: TrainEvent): void {
  batch(() => {
    switch (event.type) {
      case 'phase':
        phase.value = event.message;
        // how far a phase is, is seen and not read out
        announcement.value = event.message.replace(COUNT, '');
        return;
      case 'warning':
        // a run that goes on in another engine says again what it said before
        warnings.value = [...new Set([...warnings.value, inFormWords(event.message)])];
        return;
      case 'note':
        notes.value = [...notes.value, inFormWords(event.message)];
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
        for (const _ of event.points) stepTimes.push(event.stepMs);
        stepCount.value = steps.length;
        rate.value = event;
        return;
      case 'resumed':
        putSteps(event.points, event.stepTimes);
        live.value = { ...live.value, looks: live.value.looks.filter(({ step }) => step <= event.step) };
        evals.value = [
          ...evals.value.filter(({ which }) => which === 'base'),
          ...event.evals.map((point) => ({ type: 'eval', which: 'epoch', point }) as const),
        ];
        return;
      case 'live images':
        live.value = { images: event.images, looks: [] };
        return;
      case 'live':
        live.value = { ...live.value, looks: thinned([...live.value.looks, event], MOST_LOOKS) };
        return;
      case 'eval':
        evals.value = [...evals.value, event];
        announcement.value = `${evalNames[event.which]} accuracy ${percent(event.point.accuracy)}`;
        return;
      case 'redundancy':
        redundancy.value = courseAfter(event);
    }
  });
}

/** Looks that are kept at most: their course can be seen in half as many. */
const MOST_LOOKS = 120;

function courseAfter(event: Extract<TrainEvent, { type: 'redundancy' }>) {
  const { layers } = event;
  if (event.when === 'before') return courseFrom(layers, event.grams);
  if (event.when === 'now') return courseWith(redundancy.value, event.step, layers);
  return courseWith(redundancy.value, steps[steps.length - 1]?.step ?? 0, layers, true);
}

const evalNames: Record<EvalEvent['which'], string> = {
  base: 'Base',
  epoch: 'Test',
  last: 'Last',
  best: 'Best',
};
