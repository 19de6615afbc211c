/** Networks looked at beside each other: what is to be looked at, how far it is, and what was found. */

import { analysisHtml } from '../../report/analysis/document';
import {
  type AnalysisFieldName,
  type AnalysisName,
  analyses,
  analysisFieldNames,
  analysisFields,
  analysisNames,
} from '../../run/analyse/options';
import { download } from '../files';
import { count } from '../format';
import { JobButton } from '../job-button';
import {
  type AnalysisState,
  analysing,
  analysisObstacle,
  passes,
  startAnalysis,
  stopAnalysis,
  typed,
  wanted,
} from './analysis';
import { Findings } from './findings';
import '../style/analysis.css';

export function AnalysisPanel() {
  const now = analysing.value;
  const obstacle = analysisObstacle.value;
  return (
    <section class="panel analysis" aria-labelledby="analysis-title">
      <h2 id="analysis-title">Looking into networks</h2>
      <p class="hint">
        Looks at the network of step 1, or at a run’s network before and after, with the test images: its
        weights, its features, how it bears worse images, and the loss around it. Nothing is trained.
      </p>
      <Choices />
      <div class="row">
        <JobButton
          start="Analyse"
          stop="Stop the analysis"
          isRunning={now.state === 'running'}
          isStopping={now.state === 'running' && now.isStopping}
          obstacle={obstacle && 'analysis-obstacle'}
          onStart={startAnalysis}
          onStop={stopAnalysis}
        />
        {now.state === 'ready' && <Files now={now} />}
        {!obstacle && now.state !== 'running' && passes.value !== undefined && passes.value > 0 && (
          <p class="hint">At most {count(passes.value)} forward passes of an image for each network.</p>
        )}
        {obstacle && (
          <p class="hint" id="analysis-obstacle">
            {obstacle}
          </p>
        )}
      </div>
      <Found now={now} />
    </section>
  );
}

function Choices() {
  const toggle = (name: AnalysisName, isOn: boolean) => {
    const next = new Set(wanted.value);
    if (isOn) next.add(name);
    else next.delete(name);
    wanted.value = next;
  };
  return (
    <>
      <fieldset class="analysis-choices">
        <legend>What to look at</legend>
        {analysisNames.map((name) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={wanted.value.has(name)}
              onChange={({ currentTarget }) => toggle(name, currentTarget.checked)}
            />
            {analyses[name].label}
            <span class="hint">{analyses[name].help}</span>
          </label>
        ))}
      </fieldset>
      <details>
        <summary>How many images, points and steps</summary>
        <div class="analysis-numbers">
          {analysisFieldNames.map((name) => (
            <NumberInput key={name} name={name} />
          ))}
        </div>
      </details>
    </>
  );
}

function NumberInput({ name }: { name: AnalysisFieldName }) {
  const { label, help, fallback, range } = analysisFields[name];
  return (
    <label>
      {label}
      <input
        type="number"
        min={range?.min}
        max={range?.max}
        step={range?.step}
        placeholder={String(fallback)}
        value={typed.value[name] ?? ''}
        onInput={({ currentTarget: { value } }) => {
          typed.value = { ...typed.value, [name]: value === '' ? undefined : value };
        }}
      />
      <span class="hint">{help}</span>
    </label>
  );
}

function Files({ now: { analysis } }: { now: Extract<AnalysisState, { state: 'ready' }> }) {
  const { report: _, ...kept } = analysis;
  const json = () => `${JSON.stringify(kept, null, 1)}\n`;
  return (
    <>
      <button
        type="button"
        class="link"
        onClick={() => download('analysis.html', analysisHtml(analysis), 'text/html')}
      >
        analysis.html
      </button>
      <button
        type="button"
        class="link"
        onClick={() => download('analysis.json', json(), 'application/json')}
      >
        analysis.json
      </button>
    </>
  );
}

function Found({ now }: { now: AnalysisState }) {
  switch (now.state) {
    case 'none':
      return null;
    case 'running':
      return (
        <div class="analysis-progress">
          <p role="status">{now.isStopping ? 'Stopping after this batch' : now.message}</p>
          <progress max={1} value={now.share} aria-label="Progress of the analysis" />
        </div>
      );
    case 'failed':
      return (
        <p class="error" role="alert">
          {now.why}
        </p>
      );
    case 'ready':
      return <Findings analysis={now.analysis} />;
  }
}
