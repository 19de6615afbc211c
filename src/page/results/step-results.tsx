/** Step 3: what came out, the proof of the merge, and the downloads. */

import type { Report, TrainResult } from '../../api';
import { outcomeOf } from '../../report/outcome';
import { count, duration } from '../format';
import { lazy } from '../lazy';
import { showPlace } from '../place';
import { result, shownRun } from '../run/state';
import { entryOf } from '../saved/entries';
import { listed } from '../saved/store';
import { Accuracies } from './accuracies';
import { Downloads } from './downloads';
import { Expected } from './expected';
import { Proof } from './proof';
import { TryImages } from './try';

const Fair = lazy(async () => (await import('../runs/fair')).Fair);
const TrainOn = lazy(async () => (await import('../runs/train-on')).TrainOn);
const TestImages = lazy(async () => (await import('./test-images')).TestImages);

export function StepResults() {
  return (
    <>
      {result.value ? <Outcome trained={result.value} /> : <Expected />}
      <TryImages />
      {listed().length > 1 && (
        <p class="hint all-runs">
          <button type="button" class="link" onClick={() => showPlace('#runs')}>
            {listed().length} runs
          </button>{' '}
          are listed below, to be shown, compared and taken home.
        </p>
      )}
    </>
  );
}

/** How a run ended that did not come to its end. */
const ENDED: Record<Exclude<Report['ended'], 'finished'>, string> = {
  stopped: 'stopped by you',
  early: 'ended early, for it got no better',
  diverged: 'diverged',
  failed: 'cut short, for the GPU was lost',
};

function Outcome({ trained }: { trained: TrainResult }) {
  const { report, predictions } = trained;
  const { tone, title, text } = outcomeOf(report);
  const { images, intervals } = report.uncertainty;
  const { network, settings, sources } = report;
  const data = [...new Set([...sources.train, ...(sources.test ?? [])])].join(', ');
  const run = shownRun.value;
  return (
    <>
      <p class="hint run-name">
        {run && (
          <b class="name" dir="auto">
            {entryOf(run.id)?.name}
          </b>
        )}
        {settings.method}, {network.source}, {data}
        {report.ended !== 'finished' && <b> ({ENDED[report.ended]})</b>}
      </p>
      <section class={`outcome ${tone}`} aria-labelledby="outcome-title">
        <h3 id="outcome-title">{title}</h3>
        <p>{text}</p>
        {run && report.ended !== 'diverged' && <Fair key={run.id} id={run.id} job={run.job} />}
        {run && <TrainOn trained={trained} job={run.job} />}
      </section>
      <Accuracies accuracy={report.accuracy} intervals={intervals} />
      <p class="hint">
        Of {count(images)} test images; the ranges hold what all images of their kind would give in 95 of 100
        cases (Wilson). Last is the merged network after the last step; best is{' '}
        {report.best === 'base'
          ? 'the network you started from, for no epoch was better'
          : 'the best epoch’s, chosen by looking at the test set'}
        . {count(report.steps)} {report.steps === 1 ? 'step' : 'steps'} in {duration(report.seconds)},{' '}
        {Math.round(report.stepMs)} ms a step on {report.adapter || 'an adapter without a name'}.
      </p>
      <Proof report={report} isGain={tone === 'good'} />
      <Downloads id={run?.id} trained={trained} isGain={tone !== 'bad' && report.best !== 'base'} />
      {predictions.last && run && <TestImages key={run.id} run={run} />}
    </>
  );
}
