/** What a run tells while it goes on, put where the page shows it. */
import { batch } from '@preact/signals';
import { update } from 'idb-keyval';
import type { TrainEvent } from '../../api';
import { parseTunings } from '../../run/tunings';
import { percent } from '../format';
import {
  announcement,
  type EvalEvent,
  evals,
  imageReports,
  notes,
  phase,
  plan,
  rate,
  redundancy,
  stepCount,
  steps,
  warnings,
} from './state';

/** The database's key for what autotune found. */
export const TUNINGS = 'tunings';

export function receive(event: TrainEvent): void {
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
