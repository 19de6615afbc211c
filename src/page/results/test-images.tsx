/** What a run's networks say of the test images: class by class, image by image. */
import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { Report, TestPrediction } from '../../api';
import { count, percent } from '../format';
import type { FinishedRun } from '../run/state';
import { type Cell, type Confusion, changed, confused, confusionOf, wrongOf } from './figures';
import { ImageList } from './image-list';

/** Classes of which every pair has a cell; of more the commonest confusions are listed. */
const MOST_CELLS = 16;
const PAIRS = 40;

type Which = 'base' | 'last' | 'best';

export function TestImages({ run }: { run: FinishedRun }) {
  const { report, predictions } = run.result;
  const there = (['last', 'best', 'base'] as const).filter((which) => predictions[which]);
  const [which, setWhich] = useState<Which>('last');
  const chosen = predictions[which]!;
  const source = run.job.test ?? run.job.train;
  const confusion = useMemo(() => confusionOf(report.classes, chosen), [chosen]);
  const wrong = useMemo(() => wrongOf(chosen), [chosen]);
  return (
    <section aria-labelledby="images-title" class="test-images">
      <h3 id="images-title">The test images, one by one</h3>
      {there.length > 1 && (
        <label class="row hint">
          Network
          <select value={which} onChange={(event) => setWhich(event.currentTarget.value as Which)}>
            {there.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
      )}
      <Fold title="Accuracy, precision and recall of each class">
        <Classes confusion={confusion} evaluation={which === 'base' ? undefined : report.evaluation[which]} />
      </Fold>
      <Fold title="Which classes are taken for which">
        <ConfusionView confusion={confusion} source={source} />
      </Fold>
      <Fold title={`${count(wrong.length)} wrong, the surest first`}>
        <ImageList source={source} images={wrong} />
      </Fold>
      {predictions.base && which !== 'base' && (
        <Changed before={predictions.base} after={chosen} source={source} />
      )}
    </section>
  );
}

/** A part that is built when it is opened. */
function Fold({ title, children }: { title: string; children: ComponentChildren }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="more" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {isOpen && children}
    </details>
  );
}

type Source = FinishedRun['job']['train'];

function Changed(props: { before: TestPrediction[]; after: TestPrediction[]; source: Source }) {
  const { before, after, source } = props;
  const { gained, lost } = useMemo(() => changed(before, after), [before, after]);
  return (
    <>
      <Fold title={`${count(gained.length)} gained against the base`}>
        <ImageList source={source} images={gained} />
      </Fold>
      <Fold title={`${count(lost.length)} lost against the base`}>
        <ImageList source={source} images={lost} />
      </Fold>
    </>
  );
}

interface ClassesProps {
  confusion: Confusion;
  evaluation?: Report['evaluation']['last'];
}

/** The share of images of a class told right is its recall; its accuracy is that of telling it from all others. */
function Classes({ confusion: { classes }, evaluation }: ClassesProps) {
  const total = classes.reduce((sum, { images }) => sum + images, 0);
  const share = (a: number, b: number) => (b > 0 ? percent(a / b, 1) : '–');
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label="Figures of each class">
      <table>
        <thead>
          <tr>
            <th scope="col">Class</th>
            {['Images', 'Accuracy', 'Precision', 'Recall', ...(evaluation ? ['AUC'] : [])].map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {classes.map(({ name, images, right, told }, c) => (
            <tr key={name}>
              <th scope="row" dir="auto">
                {name}
              </th>
              <td class="number">{count(images)}</td>
              <td class="number">{share(total - (images - right) - (told - right), total)}</td>
              <td class="number">{share(right, told)}</td>
              <td class="number">{share(right, images)}</td>
              {evaluation && <td class="number">{evaluation.classes[c].auc?.toFixed(3) ?? '–'}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function ConfusionView({ confusion, source }: { confusion: Confusion; source: Source }) {
  const [cell, setCell] = useState<Cell | undefined>(undefined);
  const pairs = useMemo(() => confused(confusion), [confusion]);
  // of another network there is the same cell
  const shown =
    cell && confusion.cells.flat().find((c) => c.label === cell.label && c.predicted === cell.predicted);
  return (
    <>
      {confusion.classes.length <= MOST_CELLS ? (
        <Matrix confusion={confusion} chosen={shown} onCell={setCell} />
      ) : (
        <ul class="pairs">
          {pairs.slice(0, PAIRS).map((pair) => (
            <li key={`${pair.label}\n${pair.predicted}`}>
              <button type="button" class="link" onClick={() => setCell(pair)}>
                {count(pair.images.length)} of {pair.label} told {pair.predicted}
              </button>
            </li>
          ))}
        </ul>
      )}
      {shown ? (
        <>
          <p aria-live="polite">
            {count(shown.images.length)} of <b dir="auto">{shown.label}</b> told{' '}
            <b dir="auto">{shown.predicted}</b>
          </p>
          <ImageList key={`${shown.label}\n${shown.predicted}`} source={source} images={shown.images} />
        </>
      ) : (
        <p class="hint">
          Choose {confusion.classes.length <= MOST_CELLS ? 'a cell' : 'a pair'} to see its images.
        </p>
      )}
    </>
  );
}

interface MatrixProps {
  confusion: Confusion;
  chosen?: Cell;
  onCell: (cell: Cell) => void;
}

/** Rows are the images' classes, columns what they are told to be; the shade is the share of the row. */
function Matrix({ confusion: { classes, cells }, chosen, onCell }: MatrixProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll matrix" tabIndex={0} aria-label="Confusion matrix">
      <table>
        <thead>
          <tr>
            <th scope="col">Images of</th>
            {classes.map(({ name }) => (
              <th key={name} scope="col" dir="auto">
                <span>{name}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cells.map((row, r) => (
            <tr key={classes[r].name}>
              <th scope="row" dir="auto">
                {classes[r].name}
              </th>
              {row.map((cell, c) => {
                const { length } = cell.images;
                const part = classes[r].images > 0 ? length / classes[r].images : 0;
                return (
                  <td key={cell.predicted} class={c === r ? 'right' : 'wrong'} style={{ '--share': part }}>
                    <button
                      type="button"
                      aria-pressed={cell === chosen}
                      aria-label={`${length} of ${cell.label} told ${cell.predicted}`}
                      disabled={length === 0}
                      onClick={() => onCell(cell)}
                    >
                      {length === 0 ? '' : count(length)}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
