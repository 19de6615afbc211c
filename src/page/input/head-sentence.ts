import { count } from '../format';
import type { Verdict } from './verdict';

/** What becomes of the network's classes. */
export function headSentence({ known, classes, head }: Verdict): string {
  const yours = count(classes.length);
  const change = `${known === undefined ? 'No classifier' : `${count(known)} classes`} → your ${yours}`;
  if (head === 'new') return `${change}: new head. It has no accuracy to begin with.`;
  if (head === 'rows') return `${change}: known by name, their rows are kept.`;
  if (head === 'refused') return `${change}: they do not fit.`;
  const order = classes.slice(0, 5).join(', ');
  return `${change}: the head stays, its rows taken in the order of your classes (${order}${classes.length > 5 ? ', …' : ''}). If it has another, drop a list of its classes.`;
}
