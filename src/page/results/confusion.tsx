/** Which classes are taken for which: a table of few classes, a picture of many, and the images behind each pair. */
import { useMemo, useState } from 'preact/hooks';
import type { DataSource } from '../../api';
import { count } from '../format';
import { FindClass, isLike } from './class-table';
import { ConfusionPicture } from './confusion-picture';
import { type Cell, type ClassOrderName, type Confusion, confused, orderNames, orderOf } from './figures';
import { ImageList } from './image-list';

/** Classes of which every pair has a cell with its count; of more there is a picture. */
const MOST_CELLS = 16;
const PAIRS = 40;

export function ConfusionView({ confusion, source }: { confusion: Confusion; source?: DataSource }) {
  const [chosen, setChosen] = useState<Pick<Cell, 'row' | 'column'> | undefined>(undefined);
  const [order, setOrder] = useState<ClassOrderName>('class');
  const places = useMemo(() => orderOf(confusion, order), [confusion, order]);
  // of another network there is the same cell
  const shown = chosen && confusion.cell(chosen.row, chosen.column);
  const isSmall = confusion.classes.length <= MOST_CELLS;
  return (
    <>
      <label class="row hint">
        Order
        <select value={order} onChange={(event) => setOrder(event.currentTarget.value as ClassOrderName)}>
          {Object.entries(orderNames).map(([name, words]) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
      </label>
      {isSmall ? (
        <Matrix confusion={confusion} places={places} chosen={shown} onCell={setChosen} />
      ) : (
        <>
          <ConfusionPicture confusion={confusion} places={places} chosen={shown} onCell={setChosen} />
          <Pairs confusion={confusion} onCell={setChosen} />
        </>
      )}
      {shown ? (
        <>
          <p aria-live="polite">
            {count(shown.images.length)} of <b dir="auto">{shown.label}</b> told{' '}
            <b dir="auto">{shown.predicted}</b>
          </p>
          <ImageList key={`${shown.row} ${shown.column}`} source={source} images={shown.images} />
        </>
      ) : (
        <p class="hint">Choose {isSmall ? 'a cell' : 'a pair'} to see its images.</p>
      )}
    </>
  );
}

/** The commonest confusions; of one class where it is looked for. */
function Pairs({ confusion, onCell }: { confusion: Confusion; onCell: (cell: Cell) => void }) {
  const [wanted, setWanted] = useState('');
  const all = useMemo(() => confused(confusion), [confusion]);
  const pairs = wanted
    ? all.filter(({ label, predicted }) => isLike(label, wanted) || isLike(predicted, wanted))
    : all;
  return (
    <>
      <FindClass wanted={wanted} onWanted={setWanted} />
      <ul class="pairs">
        {pairs.slice(0, PAIRS).map((pair) => (
          <li key={`${pair.row} ${pair.column}`}>
            <button type="button" class="link" onClick={() => onCell(pair)}>
              {count(pair.images.length)} of <bdi>{pair.label}</bdi> told <bdi>{pair.predicted}</bdi>
            </button>
          </li>
        ))}
      </ul>
      {pairs.length > PAIRS && <p class="hint">and {count(pairs.length - PAIRS)} pairs more</p>}
    </>
  );
}

interface MatrixProps {
  confusion: Confusion;
  /** the classes' order */
  places: readonly number[];
  chosen?: Cell;
  onCell: (cell: Cell) => void;
}

/** Rows are the images' classes, columns what they are told to be; the shade is the share of the row. */
function Matrix({ confusion: { classes, cell: cellAt }, places, chosen, onCell }: MatrixProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll matrix" tabIndex={0} aria-label="Confusion matrix">
      <table>
        <thead>
          <tr>
            <th scope="col">Images of</th>
            {places.map((column) => (
              <th key={column} scope="col" dir="auto" title={classes[column].name}>
                <span>{classes[column].name}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {places.map((row) => (
            <tr key={row}>
              <th scope="row" dir="auto" title={classes[row].name}>
                {classes[row].name}
              </th>
              {places.map((column) => {
                const cell = cellAt(row, column);
                const images = cell?.images.length ?? 0;
                const part = classes[row].images > 0 ? images / classes[row].images : 0;
                return (
                  <td key={column} class={column === row ? 'right' : 'wrong'} style={{ '--share': part }}>
                    <button
                      type="button"
                      aria-pressed={cell !== undefined && cell === chosen}
                      aria-label={`${images} of ${classes[row].name} told ${classes[column].name}`}
                      disabled={images === 0}
                      onClick={() => cell && onCell(cell)}
                    >
                      {images === 0 ? '' : count(images)}
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
