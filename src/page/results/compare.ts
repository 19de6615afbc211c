/** Two runs beside each other. */
import { type Flips, flipsBetween } from '../../analysis/uncertainty';
import type { TrainSettings } from '../../api';
import { count, points } from '../format';
import type { FinishedRun } from '../run/state';
import { isOfSame } from './figures';

export const methodNames: Record<TrainSettings['method'], string> = {
  refocus: 'Refocused',
  finetune: 'Fine-tuned',
  retrain: 'Retrained',
  joint: 'Trained jointly',
};

export const methodOf = ({ result }: FinishedRun) => result.report.settings.method;

/** Whether runs began with the same network and tell the same classes apart. */
export const isAlike = (one: FinishedRun, other: FinishedRun): boolean =>
  one.result.report.network.source === other.result.report.network.source &&
  one.result.report.classes.join('\n') === other.result.report.classes.join('\n');

/** What one run's last network gained and lost against another's; undefined where they were not tested on the same images. */
function flipsOf(one: FinishedRun, other: FinishedRun): Flips | undefined {
  const [after, before] = [one.result.predictions.last, other.result.predictions.last];
  return before && after && isOfSame(before, after) ? flipsBetween(before, after) : undefined;
}

/** Which of two networks told more test images right, and what that is worth; undefined where they cannot be compared. */
export function comparison(one: FinishedRun, other: FinishedRun): string | undefined {
  const flips = isAlike(one, other) && flipsOf(one, other);
  if (!flips) return undefined;
  const { gained, lost, p } = flips;
  const images = one.result.report.uncertainty.images;
  const names = [one, other].map((run) => `${methodNames[methodOf(run)]} (run ${run.number})`);
  const chance = p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
  const verdict =
    p > 0.05 ? 'which may be chance' : 'more than chance explains; one seed is no proof all the same';
  return `${names[0]} against ${names[1].toLowerCase()}: ${points((gained - lost) / images)}, ${count(gained)} test images gained and ${count(lost)} lost (McNemar’s test, ${chance}), ${verdict}.`;
}
