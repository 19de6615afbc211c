import type { Report, TrainResult } from '../../api';
import { count } from '../format';
import { plan } from './state';

/** How a run's end is told. */
export function endingOf({ report: { ended, steps } }: TrainResult): string {
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
