/** A row an arm, a column a seed: it fills as runs come to their end, and each accuracy leads to its run. */
import type { ExperimentResults } from '../../experiment/results';
import { labelOf, SHOWN, spreadText } from '../../report/experiment-words';
import { percent, points, significant } from '../format';
import { showPlace } from '../place';
import { isUnderWay, status } from '../run/state';
import { showRun } from '../saved/show';
import { cells, current, runOf, shown } from './queue';

export function ArmsTable({ results: all }: { results: ExperimentResults }) {
  const { experiment, comparisons } = all;
  const { seeds, reference } = experiment;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll experiment-table" tabIndex={0} aria-label="Table of the arms">
      <table>
        <thead>
          <tr>
            <th scope="col">Arm</th>
            <th scope="col">Rate</th>
            {seeds.map((seed) => (
              <th key={seed} scope="col">
                Seed {seed}
              </th>
            ))}
            <th scope="col">Last</th>
            <th scope="col">Best</th>
            <th scope="col">Against {labelOf(all)(reference)}</th>
            <th scope="col">95 % interval</th>
            <th scope="col">Shown</th>
          </tr>
        </thead>
        <tbody>
          {experiment.arms.map(({ name, label, about }) => {
            const arm = all.arms.find((one) => one.arm === name);
            const found = comparisons.find((one) => one.arm === name && one.against === reference);
            const interval = found?.last.interval;
            return (
              <tr key={name}>
                <th scope="row" title={about}>
                  <bdi>{label}</bdi>
                </th>
                <td>{arm?.lr === undefined ? '' : significant(arm.lr)}</td>
                {seeds.map((seed) => (
                  <td key={seed}>
                    <Figure
                      arm={name}
                      label={label}
                      seed={seed}
                      accuracy={arm?.last?.values[arm.seeds.indexOf(seed)]}
                    />
                  </td>
                ))}
                <td>{arm?.last ? spreadText(arm.last) : ''}</td>
                <td>{arm?.best ? spreadText(arm.best) : ''}</td>
                <td>{name === reference ? 'reference' : found ? points(found.last.mean) : ''}</td>
                <td>{interval ? rangeText(interval) : ''}</td>
                <td>{found ? SHOWN[found.last.shown] : ''}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

interface FigureProps {
  arm: string;
  label: string;
  seed: number;
  /** absent as long as the run has not come to an end */
  accuracy?: number;
}

function Figure({ arm, label, seed, accuracy }: FigureProps) {
  const cell = cells.value.find((one) => one.kind === 'run' && one.arm === arm && one.seed === seed);
  if (accuracy === undefined) return cell && current.value?.id === cell.id ? <>…</> : null;
  const run = cell && shown.value && runOf(shown.value, cell);
  if (!run || isUnderWay.value) return <>{percent(accuracy)}</>;
  const open = async () => {
    await showRun(run.id);
    if (status.value === 'done') showPlace('#step-3');
  };
  return (
    <button type="button" class="link" title={`Show the run: ${label}, seed ${seed}`} onClick={open}>
      {percent(accuracy)}
    </button>
  );
}

/** Both ends in points, the unit once. */
const rangeText = ([low, high]: readonly [number, number]): string =>
  `${points(low).replace(/\s.*/, '')} to ${points(high)}`;
