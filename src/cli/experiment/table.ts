/** The table of arms on a terminal. */
import type { ExperimentResults } from '../../experiment/results';
import { SHOWN, spreadText } from '../../report/experiment-words';
import { percent, points, significant } from '../../report/format';
import { table } from '../table';

/** A row an arm: its rate, its last accuracy by seed, mean and deviation, and what it has more than the reference. */
export function armsLines({ experiment, arms, runs, comparisons }: ExperimentResults): string {
  const { seeds, reference } = experiment;
  const rows = arms.map(({ arm, lr, last, seeds: there }) => {
    const found = comparisons.find((one) => one.arm === arm && one.against === reference);
    const interval = found?.last.interval;
    return [
      arm,
      lr === undefined ? '' : significant(lr),
      ...seeds.map((seed) => {
        const at = there.indexOf(seed);
        return at >= 0 && last ? percent(last.values[at]) : '…';
      }),
      last ? spreadText(last) : '',
      arm === reference ? 'reference' : found ? points(found.last.mean) : '',
      interval ? `${points(interval[0])} to ${points(interval[1])}` : '',
      found && runs.length > 0 ? SHOWN[found.last.shown] : '',
    ];
  });
  const names = ['', 'rate', ...seeds.map((seed) => `seed ${seed}`), 'last', `less ${reference}`, '95 %', ''];
  return table([names, ...rows]);
}
