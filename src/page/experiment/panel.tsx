/** Experiments: arms over seeds, equal in all else, and what that shows. */
import { useEffect } from 'preact/hooks';
import { type Cell, cellsOf } from '../../experiment/cells';
import { picturesOf, redundancyOf } from '../../experiment/ended-cells';
import type { ExperimentResults } from '../../experiment/results';
import { labelOf, notShownSentences, SHOWN, shownSentences, spreadText } from '../../report/experiment-words';
import { download } from '../files';
import { count, duration, percent, points, significant } from '../format';
import { isGpuFree } from '../gpu-use';
import { phase, progress } from '../run/state';
import { Bands, Legend } from './bands';
import { choice } from './choice';
import { ExperimentForm } from './form';
import {
  begin,
  bringsImages,
  cells,
  close,
  current,
  error,
  failed,
  goOn,
  isRunning,
  isStopping,
  left,
  openKept,
  results,
  shown,
  stop,
} from './queue';

export function ExperimentPanel() {
  useEffect(() => void openKept(), []);
  return (
    <section class="panel experiment" aria-labelledby="experiment-title">
      <h2 id="experiment-title">Experiments</h2>
      <p class="hint">
        One run of each method is no proof. An experiment trains several of them over several seeds, equal in
        all else, each at the learning rate that held-out training images choose, and says what that shows.
      </p>
      {shown.value ? <Shown /> : <Start />}
    </section>
  );
}

function Start() {
  const { experiment } = choice.value;
  return (
    <>
      <ExperimentForm />
      <div class="row">
        <button
          type="button"
          class="button"
          disabled={!experiment || !isGpuFree.value}
          onClick={() => experiment && begin(experiment)}
        >
          Start the experiment
        </button>
        {experiment && (
          <p class="hint">
            {bringsImages(experiment)
              ? 'With the built-in network.'
              : 'With the network and images of step 1.'}{' '}
            {count(cellsOf(experiment).length)} runs, which may be stopped and gone on with.
          </p>
        )}
      </div>
    </>
  );
}

function Shown() {
  const all = results.value!;
  const { experiment } = all;
  const done = cells.value.length - all.missing.length;
  return (
    <>
      <h3>
        <bdi>{experiment.name}</bdi>
      </h3>
      {experiment.question && <p>{experiment.question}</p>}
      <Progress done={done} />
      {error.value && (
        <p class="error" role="alert">
          {error.value}
        </p>
      )}
      {[...failed.value].map(([id, why]) => (
        <p key={id} class="error">
          {cellText(cells.value.find((cell) => cell.id === id)!, labelOf(all))} did not come to its end: {why}
        </p>
      ))}
      <ArmsTable results={all} />
      {all.runs.length > 0 && (
        <>
          <Legend results={all} />
          <div class="bands-pair">
            <Bands results={all} quantity="accuracy" />
            <Bands results={all} quantity="loss" />
          </div>
        </>
      )}
      {all.rates.length > 0 && <Rates results={all} />}
      {all.runs.length > 0 && <Words results={all} />}
    </>
  );
}

function Progress({ done }: { done: number }) {
  const cell = current.value;
  const total = cells.value.length;
  return (
    <div class="experiment-progress">
      <p role="status">
        {cell
          ? `${count(done + 1)} of ${count(total)}: ${cellText(cell, labelOf(results.value!))}. ${phase.value}${left.value === undefined ? '' : `; ${duration(left.value)} left of all`}`
          : `${count(done)} of ${count(total)} runs are done.`}
      </p>
      <progress
        max={total}
        value={done + (cell ? progress.value : 0)}
        aria-label="Progress of the experiment"
      />
      <div class="row">
        {isRunning.value ? (
          <button type="button" class="button" disabled={isStopping.value} onClick={stop}>
            {isStopping.value ? 'Stopping' : 'Stop'}
          </button>
        ) : (
          <>
            {done < total && (
              <button type="button" class="button" disabled={!isGpuFree.value} onClick={goOn}>
                Go on
              </button>
            )}
            <Downloads />
            <button type="button" class="button small" onClick={close}>
              Another experiment
            </button>
          </>
        )}
      </div>
    </div>
  );
}

/** What of an experiment is trained, as its table calls it. */
function cellText({ kind, arm, seed, lr }: Cell, label: (arm: string) => string): string {
  if (kind === 'base') return 'the base';
  const name = label(arm!);
  return kind === 'search' ? `${name}, rate ${significant(lr!)} tried` : `${name}, seed ${seed}`;
}

function Downloads() {
  const all = results.value!;
  const report = async () => {
    const { experimentHtml } = await import('../../report/experiment');
    const { ended } = shown.value!;
    const html = experimentHtml(all, { redundancy: redundancyOf(ended), pictures: picturesOf(ended) });
    download(`${all.experiment.name}.html`, html, 'text/html');
  };
  if (all.runs.length === 0) return null;
  return (
    <>
      <button type="button" class="button small" onClick={report}>
        Report
      </button>
      <button
        type="button"
        class="button small"
        onClick={() => download('results.json', `${JSON.stringify(all, null, 2)}\n`, 'application/json')}
      >
        results.json
      </button>
    </>
  );
}

/** A row an arm, a column a seed: it fills as runs come to their end. */
function ArmsTable({ results: all }: { results: ExperimentResults }) {
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
                {seeds.map((seed) => {
                  const at = arm?.seeds.indexOf(seed) ?? -1;
                  const isNow =
                    current.value?.arm === name &&
                    current.value.kind === 'run' &&
                    current.value.seed === seed;
                  return (
                    <td key={seed}>
                      {arm?.last && at >= 0 ? percent(arm.last.values[at]) : isNow ? '…' : ''}
                    </td>
                  );
                })}
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

/** Both ends in points, the unit once. */
const rangeText = ([low, high]: readonly [number, number]): string =>
  `${points(low).replace(/\s.*/, '')} to ${points(high)}`;

function Rates({ results: all }: { results: ExperimentResults }) {
  const label = labelOf(all);
  return (
    <p class="hint">
      Rates by held-out training images:{' '}
      {all.rates
        .map(
          ({ arm, chosen, isAtEdge }) =>
            `${label(arm)} ${significant(chosen)}${isAtEdge ? ' (the edge of the grid)' : ''}`,
        )
        .join(', ')}
      .
    </p>
  );
}

function Words({ results: all }: { results: ExperimentResults }) {
  return (
    <div class="experiment-words">
      <h3>What was shown</h3>
      <ul>
        {shownSentences(all).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <details>
        <summary>And what not</summary>
        <ul>
          {notShownSentences(all).map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      </details>
    </div>
  );
}
