/** What a network says of the test images, counted from its predictions. */
import type { TestPrediction } from '../../api';

/** Of one class. */
export interface ClassRow {
  name: string;
  /** test images of it, and how many of them are told right */
  images: number;
  right: number;
  /** images that are told to be of it */
  told: number;
}

/** Images of one class that are told to be of another, or of the same; classes by their places. */
export interface Cell {
  row: number;
  column: number;
  label: string;
  predicted: string;
  images: TestPrediction[];
}

/** Of a thousand classes most pairs have no image: only those that have one are there. */
export interface Confusion {
  classes: ClassRow[];
  cells: Cell[];
  cell(row: number, column: number): Cell | undefined;
}

export function confusionOf(classes: readonly string[], predictions: readonly TestPrediction[]): Confusion {
  const place = new Map(classes.map((name, i) => [name, i]));
  const cells = new Map<number, Cell>();
  const rows = classes.map((name): ClassRow => ({ name, images: 0, right: 0, told: 0 }));
  const keyOf = (row: number, column: number) => row * classes.length + column;
  for (const one of predictions) {
    const { label, predicted } = one;
    const [row, column] = [place.get(label)!, place.get(predicted)!];
    rows[row].images++;
    rows[column].told++;
    if (row === column) rows[row].right++;
    const known = cells.get(keyOf(row, column));
    if (known) known.images.push(one);
    else cells.set(keyOf(row, column), { row, column, label, predicted, images: [one] });
  }
  return { classes: rows, cells: [...cells.values()], cell: (row, column) => cells.get(keyOf(row, column)) };
}

/** The commonest confusions of one class with another, most images first. */
export const confused = ({ cells }: Pick<Confusion, 'cells'>): Cell[] =>
  cells
    .filter(({ row, column }) => row !== column)
    .sort((a, b) => b.images.length - a.images.length || a.row - b.row || a.column - b.column);

export const orderNames = {
  class: 'by class',
  error: 'most errors first',
  cluster: 'alike classes together',
} as const;

export type ClassOrderName = keyof typeof orderNames;

/** The places of the classes in an order. */
export function orderOf(confusion: Confusion, order: ClassOrderName): number[] {
  const places = [...confusion.classes.keys()];
  if (order === 'cluster') return clusters(confusion);
  if (order === 'class') return places;
  const errors = ({ images, right, told }: ClassRow) => images - right + (told - right);
  return places.sort((a, b) => errors(confusion.classes[b]) - errors(confusion.classes[a]));
}

/** Classes that are taken for each other stand together: groups are joined by their likeliest confusion (single linkage). */
function clusters({ classes, cells }: Confusion): number[] {
  const shares = new Map<number, number>();
  for (const { row, column, images } of cells) {
    if (row === column) continue;
    const [low, high] = row < column ? [row, column] : [column, row];
    const key = low * classes.length + high;
    shares.set(key, (shares.get(key) ?? 0) + images.length / classes[row].images);
  }
  const groups = classes.map((_, i) => [i]);
  for (const [key] of [...shares].sort(([, a], [, b]) => b - a)) {
    const [one, other] = [groups[Math.floor(key / classes.length)], groups[key % classes.length]];
    if (one === other) continue;
    one.push(...other);
    for (const member of other) groups[member] = one;
  }
  return [...new Set(groups)].flat();
}

/** The images told wrong, those that the network was surest of first. */
export const wrongOf = (predictions: readonly TestPrediction[]): TestPrediction[] =>
  predictions
    .filter(({ label, predicted }) => label !== predicted)
    .sort((a, b) => b.probability - a.probability);

/** Images that the second network tells right and the first wrong, and the other way; what the second says of each. */
export function changed(
  before: readonly TestPrediction[],
  after: readonly TestPrediction[],
): { gained: TestPrediction[]; lost: TestPrediction[] } {
  const isRight = ({ label, predicted }: TestPrediction) => label === predicted;
  return {
    gained: after.filter((one, i) => isRight(one) && !isRight(before[i])),
    lost: after.filter((one, i) => !isRight(one) && isRight(before[i])),
  };
}

/** Whether predictions are of the same images, in the same order. */
export const isOfSame = (one: readonly TestPrediction[], other: readonly TestPrediction[]): boolean =>
  one.length === other.length &&
  one.every(({ image, label }, i) => image === other[i].image && label === other[i].label);
