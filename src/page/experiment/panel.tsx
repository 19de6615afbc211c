/** Experiments: arms over seeds, equal in all else, and what that shows. */
import { useEffect, useRef } from 'preact/hooks';
import { type ChosenRate, cellsOf } from '../../experiment/cells';
import type { ExperimentResults } from '../../experiment/results';
import {
  labelOf,
  notShownSentences,
  shownSentences,
  withoutRateSentences,
} from '../../report/experiment-words';
import { count, duration, significant } from '../format';
import { isGpuFree, series } from '../gpu-use';
import { isBusy, phase, progress } from '../run/state';
import { config } from '../settings/config';
import { ArmsTable } from './arms-table';
import { Bands, Legend } from './bands';
import { cellText } from './cell-text';
import { choice } from './choice';
import { Downloads } from './downloads';
import { Earlier } from './earlier';
import { ExperimentForm } from './form';
import { bringsImages } from './job';
import {
  begin,
  cells,
  error,
  failed,
  goOn,
  hasMore,
  isRunning,
  isStopping,
  left,
  openKept,
  results,
  show,
  shown,
  stop,
} from './queue';

export function ExperimentPanel() {
  useEffect(() => void openKept(), []);
  // a dropped file, or a link that is followed: the form shows it
  const { experiment } = config.value;
  const before = useRef(experiment);
  useEffect(() => {
    if (before.current !== experiment && !isRunning.value) show(undefined);
    before.current = experiment;
  }, [experiment]);
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
      <Earlier />
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
      {withoutRateSentences(all).map((sentence) => (
        <p key={sentence} class="error">
          {sentence}
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
  const next = isRunning.value ? series.value : undefined;
  const total = cells.value.length;
  // of the run before, phase and progress are of no more use
  const [words, share] = isBusy.value
    ? [phase.value, progress.value]
    : [next?.isBegun ? 'It is kept' : 'It begins', 0];
  return (
    <div class="experiment-progress">
      <p role="status">
        {next
          ? `${count(next.at)} of ${count(total)}: ${next.words}. ${words}${left.value === undefined ? '' : `; ${duration(left.value)} left of all`}`
          : `${count(done)} of ${count(total)} runs are done.`}
      </p>
      <progress max={total} value={done + (next ? share : 0)} aria-label="Progress of the experiment" />
      <div class="row">
        {isRunning.value ? (
          <button type="button" class="button" disabled={isStopping.value} onClick={stop}>
            {isStopping.value ? 'Stopping' : 'Stop'}
          </button>
        ) : (
          <>
            {hasMore.value && (
              <button type="button" class="button" disabled={!isGpuFree.value} onClick={goOn}>
                Go on
              </button>
            )}
            <Downloads />
            <button type="button" class="button small" onClick={() => show(undefined)}>
              Another experiment
            </button>
          </>
        )}
      </div>
    </div>
  );
}

function Rates({ results: all }: { results: ExperimentResults }) {
  const label = labelOf(all);
  return (
    <p class="hint">
      Rates by held-out training images:{' '}
      {all.rates
        .map(
          ({ arm, chosen, ...rest }) =>
            `${label(arm)} ${chosen === undefined ? 'none' : significant(chosen)}${rateNotes(rest)}`,
        )
        .join(', ')}
      .
    </p>
  );
}

function rateNotes({ tried, isAtEdge }: Pick<ChosenRate, 'tried' | 'isAtEdge'>): string {
  const diverged = tried.filter((one) => one.diverged).map(({ lr }) => significant(lr));
  const notes = [
    ...(isAtEdge ? ['the edge of the grid'] : []),
    ...(diverged.length > 0 ? [`${diverged.join(' and ')} diverged`] : []),
  ];
  return notes.length > 0 ? ` (${notes.join('; ')})` : '';
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
