/** What a network says of each class, in the order that is asked for. */
import { useMemo, useState } from 'preact/hooks';
import type { Report } from '../../api';
import { count, percent, points } from '../format';
import { useGradual } from '../gradual';
import { type Column, useSorted } from '../sorting';
import type { ClassRow, Confusion } from './figures';

interface ClassesProps {
  confusion: Confusion;
  evaluation?: Report['evaluation']['last'];
  /** what the network that the run started from says of the same images */
  base?: Confusion;
}

/** A class with what is made of its counts; shares of nothing are undefined. */
interface Figures extends ClassRow {
  accuracy?: number;
  precision?: number;
  recall?: number;
  /** difference of its recall from the base's */
  gain?: number;
  auc?: number;
}

/** So many classes are looked through by name. */
const MANY = 30;

/** The share of images of a class told right is its recall; its accuracy is that of telling it from all others. */
export function ClassFiguresTable({ confusion: { classes }, evaluation, base }: ClassesProps) {
  const rows = useMemo(() => figuresOf(classes, evaluation, base), [classes, evaluation, base]);
  const absent = [...(evaluation ? [] : ['AUC']), ...(base ? [] : [GAIN])];
  const columns = COLUMNS.filter(({ name }) => !absent.includes(name));
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
            {shown.map(({ name, images, accuracy, precision, recall, gain, auc }) => (
              <tr key={name}>
                <th scope="row" dir="auto">
                  {name}
                </th>
                <td class="number">{count(images)}</td>
                <td class="number">{share(recall)}</td>
                {base && <td class="number">{gain === undefined ? '–' : points(gain)}</td>}
                <td class="number">{share(precision)}</td>
                <td class="number">{share(accuracy)}</td>
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

const GAIN = 'Against base';

const COLUMNS: Column<Figures>[] = [
  { name: 'Class', by: ({ name }) => name },
  { name: 'Images', by: ({ images }) => images, isNumber: true },
  // what is asked first stands where a phone shows it
  { name: 'Recall', by: ({ recall }) => recall, isNumber: true },
  { name: GAIN, by: ({ gain }) => gain, isNumber: true },
  { name: 'Precision', by: ({ precision }) => precision, isNumber: true },
  { name: 'Accuracy', by: ({ accuracy }) => accuracy, isNumber: true },
  { name: 'AUC', by: ({ auc }) => auc, isNumber: true },
];

function figuresOf(
  classes: readonly ClassRow[],
  evaluation: ClassesProps['evaluation'],
  base?: Confusion,
): Figures[] {
  const total = classes.reduce((sum, { images }) => sum + images, 0);
  const share = (a: number, b: number) => (b > 0 ? a / b : undefined);
  return classes.map((row, c) => ({
    ...row,
    accuracy: share(total - (row.images - row.right) - (row.told - row.right), total),
    precision: share(row.right, row.told),
    recall: share(row.right, row.images),
    // the base was asked about the same images
    gain: base && share(row.right - base.classes[c].right, row.images),
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
