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

/** Images of one class that are told to be of another, or of the same. */
export interface Cell {
  label: string;
  predicted: string;
  images: TestPrediction[];
}

export interface Confusion {
  classes: ClassRow[];
  /** by class (row) and class told (column), in the order of the classes */
  cells: Cell[][];
}

export function confusionOf(classes: readonly string[], predictions: readonly TestPrediction[]): Confusion {
  const cells = classes.map((label) => classes.map((predicted): Cell => ({ label, predicted, images: [] })));
  const place = new Map(classes.map((name, i) => [name, i]));
  for (const one of predictions) cells[place.get(one.label)!][place.get(one.predicted)!].images.push(one);
  return {
    classes: classes.map((name, c) => ({
      name,
      images: cells[c].reduce((sum, { images }) => sum + images.length, 0),
      right: cells[c][c].images.length,
      told: cells.reduce((sum, row) => sum + row[c].images.length, 0),
    })),
    cells,
  };
}

/** The commonest confusions of one class with another, most images first. */
export const confused = ({ cells }: Confusion): Cell[] =>
  cells
    .flatMap((row, r) => row.filter((_, c) => c !== r))
    .filter(({ images }) => images.length > 0)
    .sort((a, b) => b.images.length - a.images.length);

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
