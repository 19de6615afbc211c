/** Step 2: how to train, the run's controls and its curves. */
import { skippedCsv } from '../../data/report';
import { download } from '../files';
import { ForecastPanel } from '../forecast/forecast-panel';
import { bytes, count } from '../format';
import { lazy } from '../lazy';
import { inFormWords } from '../settings/form-words';
import { SettingsForm } from '../settings/settings-form';
import { Progress } from './progress';
import { imageReports, isBusy, isUnderWay, live, notes, plan, stepCount, warnings } from './state';

const LivePredictions = lazy(async () => (await import('./live-predictions')).LivePredictions);
const NO_CURVES = (
  <p class="hint empty">
    Loss and accuracy appear here with the first step: each step faint, a smoothed line on top, test results
    as points, and the accuracy of the network you started from as a dashed line.
  </p>
);
// their library is the largest of the page's, and nobody sees it before a run
const Curves = lazy(async () => (await import('./curve-charts')).Curves, <div class="coming-curves" />);
const Course = () => (isBusy.value || stepCount.value > 0 ? <Curves /> : NO_CURVES);

export function StepTrain() {
  return (
    <>
      <fieldset class="plain" disabled={isUnderWay.value}>
        <legend class="sr-only">Method and settings</legend>
        <SettingsForm />
      </fieldset>
      <ForecastPanel />
      <Progress />
      <Warnings />
      <Course />
      {live.value.looks.length > 0 && <LivePredictions />}
      <Plan />
      <Found />
    </>
  );
}

/** What a step is; it is known when a run is under way, and stands below what moves. */
function Plan() {
  if (!plan.value) return null;
  const { images, testImages, classes, dispatches, bytesPerStep, peakBytes } = plan.value;
  return (
    <p class="hint">
      {count(images)} training and {count(testImages)} test images in {classes.length} classes; a step is{' '}
      {count(dispatches)} dispatches that move {bytes(bytesPerStep)}; {bytes(peakBytes)} of GPU memory.
    </p>
  );
}

function Warnings() {
  if (warnings.value.length === 0) return null;
  return (
    <details class="warnings" open={warnings.value.length <= 3}>
      <summary>{warnings.value.length === 1 ? '1 warning' : `${warnings.value.length} warnings`}</summary>
      <ul>
        {warnings.value.map((warning, i) => (
          <li key={i}>{warning}</li>
        ))}
      </ul>
    </details>
  );
}

/** How network and images were understood, and the list of files that were left out. */
function Found() {
  const reports = imageReports.value;
  if (reports.length + notes.value.length === 0) return null;
  const skipped = reports.flatMap((report) => report.skipped);
  return (
    <details class="warnings">
      <summary>What was found</summary>
      <ul>
        {notes.value.map((note) => (
          <li key={note}>{note}</li>
        ))}
        {reports.flatMap(({ source, notes }) =>
          notes.map((note) => <li key={`${source} ${note}`}>{inFormWords(note)}</li>),
        )}
      </ul>
      {skipped.length > 0 && (
        <button
          type="button"
          class="button small"
          onClick={() => download('skipped.csv', skippedCsv(skipped), 'text/csv')}
        >
          Download skipped.csv
        </button>
      )}
    </details>
  );
}
