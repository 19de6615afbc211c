/** A network's figures class by class, as a terminal shows them. */
import type { ClassFigures, FiguresOfClass } from '../api';
import { table } from './table';

/** A screen of classes; of more the worst are shown. */
const SHOWN = 30;
/** So many pairs of classes that are told for each other. */
const PAIRS = 3;

/** A table of the classes and a line on those that are taken for each other most often; nothing without images. */
export function classLines({ classes, confusion }: ClassFigures): string[] {
  const present = classes.filter(({ images }) => images > 0);
  if (present.length === 0) return [];
  const all = present.length <= SHOWN;
  const shown = all ? present : present.toSorted((a, b) => a.f1! - b.f1!).slice(0, SHOWN);
  const head = ['class', 'images', 'precision', 'recall', 'F1', 'AUC'];
  const lines = [table([head, ...shown.map(cells)])];
  if (!all) lines.push(`the ${SHOWN} classes of ${present.length} with the lowest F1; --report writes all`);
  const pairs = confusion
    .flatMap((row, label) => row.map((count, told) => ({ label, told, count })))
    .filter(({ label, told, count }) => label !== told && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, PAIRS)
    .map(({ label, told, count }) => `${classes[label].class} for ${classes[told].class} (${count})`);
  if (pairs.length > 0) lines.push(`taken most often: ${pairs.join(', ')}`);
  return lines;
}

const cells = ({ class: name, images, precision, recall, f1, auc }: FiguresOfClass): string[] => [
  name,
  String(images),
  ...[precision, recall, f1, auc].map((figure) => figure?.toFixed(3) ?? ''),
];
