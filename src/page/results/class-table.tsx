/** What a network says of each class, in the order that is asked for. */
import { useMemo, useState } from 'preact/hooks';
import type { Report } from '../../api';
import { count, percent } from '../format';
import { useGradual } from '../gradual';
import { type Column, useSorted } from '../sorting';
import type { ClassRow, Confusion } from './figures';

interface ClassesProps {
  confusion: Confusion;
  evaluation?: Report['evaluation']['last'];
}

/** A class with what is made of its counts; shares of nothing are undefined. */
interface Figures extends ClassRow {
  accuracy?: number;
  precision?: number;
  recall?: number;
  auc?: number;
}

/** So many classes are looked through by name. */
const MANY = 30;

/** The share of images of a class told right is its recall; its accuracy is that of telling it from all others. */
export function ClassFiguresTable({ confusion: { classes }, evaluation }: ClassesProps) {
  const rows = useMemo(() => figuresOf(classes, evaluation), [classes, evaluation]);
  const columns = evaluation ? COLUMNS : COLUMNS.filter(({ name }) => name !== 'AUC');
  const { sorted, head } = useSorted(rows, columns);
  const [wanted, setWanted] = useState('');
  const found = useMemo(
    () => (wanted ? sorted.filter(({ name }) => isLike(name, wanted)) : sorted),
    [sorted, wanted],
  );
  const { shown, more } = useGradual(found, found);
  const share = (value?: number) => (value === undefined ? '–' : percent(value, 1));
  return (
    <>
      {rows.length > MANY && <FindClass wanted={wanted} onWanted={setWanted} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Figures of each class">
        <table>
          <thead>
            <tr>{head}</tr>
          </thead>
          <tbody>
            {shown.map(({ name, images, accuracy, precision, recall, auc }) => (
              <tr key={name}>
                <th scope="row" dir="auto">
                  {name}
                </th>
                <td class="number">{count(images)}</td>
                <td class="number">{share(accuracy)}</td>
                <td class="number">{share(precision)}</td>
                <td class="number">{share(recall)}</td>
                {evaluation && <td class="number">{auc?.toFixed(3) ?? '–'}</td>}
              </tr>
            ))}
          </tbody>
        </table>
        {more}
      </section>
    </>
  );
}

const COLUMNS: Column<Figures>[] = [
  { name: 'Class', by: ({ name }) => name },
  { name: 'Images', by: ({ images }) => images, isNumber: true },
  { name: 'Accuracy', by: ({ accuracy }) => accuracy, isNumber: true },
  { name: 'Precision', by: ({ precision }) => precision, isNumber: true },
  { name: 'Recall', by: ({ recall }) => recall, isNumber: true },
  { name: 'AUC', by: ({ auc }) => auc, isNumber: true },
];

function figuresOf(classes: readonly ClassRow[], evaluation: ClassesProps['evaluation']): Figures[] {
  const total = classes.reduce((sum, { images }) => sum + images, 0);
  const share = (a: number, b: number) => (b > 0 ? a / b : undefined);
  return classes.map((row, c) => ({
    ...row,
    accuracy: share(total - (row.images - row.right) - (row.told - row.right), total),
    precision: share(row.right, row.told),
    recall: share(row.right, row.images),
    auc: evaluation?.classes[c].auc,
  }));
}

export const isLike = (name: string, wanted: string) => name.toLowerCase().includes(wanted.toLowerCase());

export function FindClass({ wanted, onWanted }: { wanted: string; onWanted: (text: string) => void }) {
  return (
    <input
      type="text"
      class="find-class"
      aria-label="Find a class"
      placeholder="Find a class"
      value={wanted}
      onInput={(event) => onWanted(event.currentTarget.value)}
    />
  );
}
