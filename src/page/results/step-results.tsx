/** Step 3: what came out, the proof of the merge, and the downloads. */
import { useState } from 'preact/hooks';
import type { MergeProof, TrainResult } from '../../api';
import { toCsv } from '../csv';
import { download } from '../files';
import { count, duration, percent, points, significant } from '../format';
import { baseAccuracy, result } from '../run/run';
import { Redundancy } from './redundancy';

export function StepResults() {
  return (
    <>
      {result.value ? <Outcome trained={result.value} /> : <Expected />}
      <Redundancy />
    </>
  );
}

function Expected() {
  const base = baseAccuracy.value;
  return (
    <>
      <Accuracies base={base} />
      <p class="hint">
        Test accuracy of the network as it is now (base), after the last step, and at its best. After training
        the map is merged into the kernels: a network with the same layers, shapes and cost, other numbers. It
        is written, read back and compared with the trained one before you can take it home.
      </p>
    </>
  );
}

function Accuracies({ base, last, best }: { base?: number; last?: number; best?: number }) {
  const figure = (name: string, value?: number) => (
    <div>
      <dt>{name}</dt>
      <dd>
        {value === undefined ? '–' : percent(value)}
        {value !== undefined && base !== undefined && name !== 'Base' && (
          <small>{points(value - base)}</small>
        )}
      </dd>
    </div>
  );
  return (
    <dl class="accuracies" aria-label="Test accuracy">
      {figure('Base', base)}
      {figure('Last', last)}
      {figure('Best', best)}
    </dl>
  );
}

function Outcome({ trained }: { trained: TrainResult }) {
  const { report } = trained;
  return (
    <>
      <Accuracies {...report.accuracy} />
      <p class="hint">
        Test accuracy. Last is the merged network after the last step; best is{' '}
        {report.best === 'base'
          ? 'the network you started from, for no epoch was better: keep it'
          : 'the best epoch’s, chosen by looking at the test set'}
        . {count(report.steps)} steps in {duration(report.seconds)}, {Math.round(report.stepMs)} ms a step on{' '}
        {report.adapter}.
      </p>
      <Proof proof={report.proof} />
      <Downloads trained={trained} />
    </>
  );
}

function Proof({ proof }: { proof: MergeProof }) {
  const same = ([before, after]: [number, number], what: string) =>
    before === after
      ? `${count(after)} ${what}, unchanged`
      : `${count(after)} ${what}, where there were ${count(before)}`;
  return (
    <section class={proof.ok ? 'proof ok' : 'proof failed'} aria-labelledby="proof-title">
      <h3 id="proof-title">{proof.ok ? 'The merge is proven' : 'The merge is not proven'}</h3>
      <p>
        {proof.images === 0 ? (
          'No GPU was left to compare the merged network with the trained one on; evaluate the file before you use it.'
        ) : (
          <>
            The written file, read back into the plain network, gives logits that differ from the trained
            network’s by at most <b>{significant(proof.maxAbsLogitDiff)}</b> (
            {significant(proof.maxRelLogitDiff)} relative) on {count(proof.images)} images; the predicted
            class agrees on <b>{percent(proof.top1Agreement)}</b> of them.
          </>
        )}
      </p>
      <ul>
        <li>{same(proof.parameters, 'parameters')}</li>
        <li>{same(proof.multiplyAdds, 'multiply-adds an image')}</li>
      </ul>
    </section>
  );
}

function Downloads({ trained }: { trained: TrainResult }) {
  const [isAccepted, setAccepted] = useState(false);
  const { proof } = trained.report;
  const isHeld = !proof.ok && !isAccepted;
  return (
    <div class="downloads">
      {!proof.ok && (
        <label class="accept">
          <input
            type="checkbox"
            checked={isAccepted}
            onChange={(event) => setAccepted(event.currentTarget.checked)}
          />{' '}
          I want the files although they may not be the network that was trained.
        </label>
      )}
      <div class="row">
        <button
          type="button"
          class="button primary"
          disabled={isHeld}
          onClick={() => download('merged.safetensors', trained.merged, 'application/octet-stream')}
        >
          Download merged.safetensors
        </button>
        <button
          type="button"
          class="button"
          disabled={isHeld}
          onClick={() => download('best.safetensors', trained.best, 'application/octet-stream')}
        >
          best.safetensors
        </button>
        {trained.files.map(({ name, bytes }) => (
          <button
            key={name}
            type="button"
            class="button"
            disabled={isHeld}
            onClick={() => download(name, bytes, 'application/octet-stream')}
          >
            {name}
          </button>
        ))}
        <button
          type="button"
          class="button"
          onClick={() =>
            download('report.json', `${JSON.stringify(trained.report, null, 2)}\n`, 'application/json')
          }
        >
          report.json
        </button>
        <button
          type="button"
          class="button"
          onClick={() => download('metrics.csv', metricsCsv(trained), 'text/csv')}
        >
          metrics.csv
        </button>
      </div>
    </div>
  );
}

/** Every step, and every evaluation as a row of its own. */
function metricsCsv({ metrics, evals }: TrainResult): string {
  const header = ['step', 'epoch', 'loss', 'accuracy', 'lr', 'test_loss', 'test_accuracy'];
  const rows = [
    ...metrics.map((p) => [p.step, p.epoch, p.loss, p.accuracy, p.lr, null, null]),
    ...evals.map((p) => [p.step, p.epoch, null, null, null, p.loss, p.accuracy]),
  ].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  return toCsv(header, rows);
}
