/** What was recognised of the user's files, a line each, with what can be changed. */
import type { ImageSurvey } from '../../api';
import { skippedCsv } from '../../data/report';
import { download } from '../files';
import { count } from '../format';
import { lazy } from '../lazy';
import { config, setSetting } from '../settings/config';
import { inFormWords } from '../settings/form-words';
import { headSentence } from './head-sentence';
import { labels, preview, survey } from './sources';
import { taken } from './take';
import { misfit, verdict } from './verdict';

/** What the page made of the files that were given last. */
export function Taken() {
  const last = taken.value;
  if (!last) return null;
  const { sentences, ignored, error } = last;
  return (
    <div class="taken" role="status">
      {sentences.length > 0 && <p>{sentences.join(' ')}</p>}
      {ignored.length > 0 && (
        <p>
          Not used: {ignored[0].path}, {ignored[0].reason}
          {ignored.length > 1 && `; and ${count(ignored.length - 1)} more`}. <SkippedList skipped={ignored} />
        </p>
      )}
      {error && <p class="error">{error}</p>}
      <button
        type="button"
        class="link"
        onClick={() => {
          taken.value = undefined;
        }}
      >
        Close<span class="sr-only"> this message</span>
      </button>
    </div>
  );
}

function SkippedList({ skipped }: { skipped: Parameters<typeof skippedCsv>[0] }) {
  return (
    <button
      type="button"
      class="link"
      onClick={() => download('skipped.csv', skippedCsv(skipped), 'text/csv')}
    >
      skipped.csv
    </button>
  );
}

/** What becomes of the network's classes. */
export function Classes() {
  const found = verdict.value;
  const names = labels.value;
  return (
    <>
      {names && (
        <p class="hint">
          Its classes are named by {names.path}.{' '}
          <button
            type="button"
            class="link"
            onClick={() => {
              labels.value = undefined;
            }}
          >
            Forget the names
          </button>
        </p>
      )}
      {found && (
        <p class="fit">
          {headSentence(found)}{' '}
          <label>
            Head{' '}
            <select
              value={config.value.settings.head}
              onChange={(event) => setSetting('head', event.currentTarget.value)}
            >
              <option value="auto">as fits</option>
              <option value="keep">keep</option>
              <option value="new">new</option>
            </select>
          </label>
        </p>
      )}
      {misfit.value && survey.value.state !== 'failed' && preview.value.state !== 'failed' && (
        <p class="error">{misfit.value}</p>
      )}
    </>
  );
}

const ClassTable = lazy(async () => (await import('../images/class-table')).ClassTable);
const Findings = lazy(async () => (await import('../images/findings')).Findings);

/** What the images hold: counts, classes, what is left out. */
export function Images() {
  const found = survey.value;
  if (found.state === 'none') return null;
  if (found.state === 'reading') return <p class="hint">Looking into the images …</p>;
  if (found.state === 'failed') {
    return (
      <p class="error" role="alert">
        {found.why}{' '}
        {config.value.settings.rename !== '' && (
          <button type="button" class="link" onClick={() => setSetting('rename', '')}>
            Put all classes back
          </button>
        )}
      </p>
    );
  }
  const { train, test } = found;
  const step = verdict.value;
  return (
    <div class="survey">
      <p>
        {countsOf(train)}
        {test && `; ${countsOf(test)}`}.
        {step && ` A batch of ${count(step.batch)}, learning rate ${step.rate}.`}
      </p>
      {[...new Set([...train.notes, ...(test?.notes ?? [])])].map((note) => (
        <p class="hint" key={note}>
          {inFormWords(note)}
        </p>
      ))}
      <ClassTable survey={train} test={test} />
      <Findings survey={train} test={test} />
    </div>
  );
}

function countsOf({ source, classes, parts }: ImageSurvey): string {
  const held = { train: 'to train', test: 'to test' };
  const said = parts.map(({ use, from, images }) => {
    const origin = from === 'held' ? ' (held out)' : from ? ` (part ${from})` : '';
    return `${count(images)} ${held[use]}${origin}`;
  });
  return `${source}: ${count(classes.length)} classes, ${said.join(', ')}`;
}
