/** Chosen runs beside each other: curves, the table of arms, the settings that differ. */

import { signal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import {
  type Arm,
  armsCsv,
  armsOf,
  armsTable,
  differences,
  hasEnded,
  type NamedRun,
} from '../../report/arms';
import { differenceText } from '../../report/comparison';
import { reportHtml, verdicts } from '../../report/report';
import { explain } from '../engine';
import { download } from '../files';
import { bytes, count, duration, percent, points, significant } from '../format';
import { LogLoss, Smoothing } from '../run/chart-controls';
import type { RunEntry } from '../saved/entries';
import { readNamed } from './arms';
import { Overlay, type RunAxis } from './chart';

const axis = signal<RunAxis>('step');
const isLog = signal(false);
const smoothing = signal(0.9);
/** id of the run that the others are compared with */
const reference = signal('');

export function Compare({ chosen }: { chosen: readonly RunEntry[] }) {
  const [runs, setRuns] = useState<readonly NamedRun[]>([]);
  const [error, setError] = useState<string | undefined>(undefined);
  const key = chosen.map(({ id, name, state }) => `${id} ${name} ${state}`).join('\n');
  useEffect(() => {
    let isGone = false;
    Promise.all(chosen.map(readNamed)).then(
      (read) => {
        if (isGone) return;
        setError(undefined);
        setRuns(read);
      },
      (reason) => !isGone && setError(explain(reason)),
    );
    return () => {
      isGone = true;
    };
  }, [key]);
  if (error) return <p class="error">{error}</p>;
  // those of an earlier choice, for the moment until these are read
  if (runs.length !== chosen.length) return null;
  const pinned = Math.max(
    0,
    chosen.findIndex(({ id }) => id === reference.value),
  );
  return (
    <section class="compare" aria-labelledby="compare-title">
      <h3 id="compare-title">{chosen.length} runs beside each other</h3>
      <div class="row tools">
        <label>
          Reference{' '}
          <select
            value={chosen[pinned].id}
            onChange={(event) => {
              reference.value = event.currentTarget.value;
            }}
          >
            {chosen.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <Tools />
      </div>
      <Charts runs={runs} pinned={pinned} />
      <Arms runs={runs} pinned={pinned} />
    </section>
  );
}

function Tools() {
  return (
    <>
      <label>
        Axis{' '}
        <select
          value={axis.value}
          onChange={(event) => {
            axis.value = event.currentTarget.value === 'epoch' ? 'epoch' : 'step';
          }}
        >
          <option value="step">steps</option>
          <option value="epoch">epochs</option>
        </select>
      </label>
      <Smoothing value={smoothing} />
      <LogLoss value={isLog} />
    </>
  );
}

function Charts({ runs, pinned }: { runs: readonly NamedRun[]; pinned: number }) {
  const shared = { runs, pinned, axis: axis.value, isLog: isLog.value, smoothing: smoothing.value };
  return (
    <div class="overlays">
      {(['accuracy', 'loss'] as const).map((quantity) => (
        <figure key={quantity} class="chart">
          <figcaption>
            <h4>{quantity === 'loss' ? 'Loss' : 'Accuracy'}</h4>
          </figcaption>
          <Overlay quantity={quantity} {...shared} />
        </figure>
      ))}
      <p class="hint">Lines are training, smoothed; circles are the test images; the reference is dashed.</p>
    </div>
  );
}

function Arms({ runs, pinned }: { runs: readonly NamedRun[]; pinned: number }) {
  const ended = runs.filter(hasEnded);
  const at = Math.max(0, ended.indexOf(runs[pinned] as (typeof ended)[number]));
  const arms = useMemo(() => (ended.length > 0 ? armsOf(ended, at) : []), [runs, at]);
  const save = (name: string, text: string, type: string) => download(name, text, type);
  return (
    <>
      {arms.length > 0 && <ArmsTable arms={arms} />}
      {verdicts(arms).map((sentence) => (
        <p key={sentence} dir="auto">
          {sentence}
        </p>
      ))}
      {ended.length > 1 && <Differences runs={ended} />}
      <div class="row">
        {arms.length > 0 && (
          <>
            <button
              type="button"
              class="button small"
              onClick={() => save('runs.csv', armsCsv(arms), 'text/csv')}
            >
              Table as CSV
            </button>
            <button
              type="button"
              class="button small"
              onClick={() =>
                save('runs.json', `${JSON.stringify(armsTable(arms), null, 2)}\n`, 'application/json')
              }
            >
              Table as JSON
            </button>
          </>
        )}
        <button
          type="button"
          class="button small"
          onClick={() => save('runs.html', reportHtml(runs, { reference: pinned }), 'text/html')}
        >
          Report of these runs (HTML)
        </button>
      </div>
    </>
  );
}

function ArmsTable({ arms }: { arms: readonly Arm[] }) {
  const columns = ['Base', 'Last', 'Best', 'Against the reference', 'A step', 'GPU memory', 'Time'];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label="Table of arms">
      <table>
        <thead>
          <tr>
            <th scope="col">Run</th>
            {columns.map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {arms.map((arm, i) => (
            <ArmRow key={i} arm={arm} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function ArmRow({ arm: { run, isReference, difference, paired } }: { arm: Arm }) {
  const { accuracy, uncertainty, settings, seed, stepMs, plan, seconds } = run.report;
  const [low, high] = uncertainty.intervals.last;
  return (
    <tr>
      <th scope="row">
        <span dir="auto">{run.name}</span>
        <small>
          {settings.method}, seed {seed}
        </small>
      </th>
      <td class="number">{accuracy.base === undefined ? '–' : percent(accuracy.base)}</td>
      <td class="number">
        {percent(accuracy.last)}
        <small>
          {percent(low, 1)} to {percent(high, 1)}
        </small>
      </td>
      <td class="number">{percent(accuracy.best)}</td>
      <td class="number">
        {isReference ? (
          'reference'
        ) : (
          <>
            {paired ? differenceText(paired) : points(difference)}
            <small>
              {paired
                ? `${count(paired.flips.gained)} gained, ${count(paired.flips.lost)} lost`
                : 'not the same test images'}
            </small>
          </>
        )}
      </td>
      <td class="number">{significant(stepMs)} ms</td>
      <td class="number">{bytes(plan.peakBytes)}</td>
      <td class="number">{duration(seconds)}</td>
    </tr>
  );
}

function Differences({ runs }: { runs: Parameters<typeof differences>[0] }) {
  const found = differences(runs);
  if (found.length === 0)
    return <p>Their settings are all the same: a difference is chance, or the device’s.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label="Settings that differ">
      <table>
        <thead>
          <tr>
            <th scope="col">Differs</th>
            {runs.map(({ name }, i) => (
              <th key={i} scope="col" dir="auto">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {found.map(({ name, values }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {values.map((value, i) => (
                <td key={i} dir="auto">
                  {value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
