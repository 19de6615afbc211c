import type { TrainSettings } from '../train/settings';

/** What is known of a network's classifier. */
export interface Classifier {
  /** rows */
  count: number;
  /** their names in order, where they are known */
  classes?: readonly string[];
  /** the weights came without one */
  headless: boolean;
}

/**
 * What becomes of a classifier: it keeps its rows as they are (`kept`), those of the images' classes by name (`rows`), it
 * starts anew (`new`), or that is not wanted and nothing else is possible (`refused`).
 */
export type HeadPlan = 'kept' | 'rows' | 'new' | 'refused';

export function planHead(
  { count, classes: known, headless }: Classifier,
  classes: readonly string[],
  head: TrainSettings['head'],
): HeadPlan {
  if (head !== 'new' && !headless) {
    if (known && rowsOf(known, classes)) return 'rows';
    if (classes.length === count && (!known || head === 'keep')) return 'kept';
  }
  return head === 'keep' ? 'refused' : 'new';
}

/** For each wanted class its place among the known ones; undefined where one is not there. */
export function rowsOf(known: readonly string[], wanted: readonly string[]): number[] | undefined {
  const rows = wanted.map((name) => known.indexOf(name));
  return rows.includes(-1) ? undefined : rows;
}

/** Whether a classifier tells these very classes, in this order: it stays as it is. */
export function tells(
  classifier: Classifier,
  classes: readonly string[],
  head: TrainSettings['head'],
): boolean {
  const { classes: known } = classifier;
  const isSame = known?.length === classes.length && known.every((name, row) => name === classes[row]);
  return isSame && planHead(classifier, classes, head) === 'rows';
}
