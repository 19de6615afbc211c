/** Where the tour is, now and over visits. */
import { signal } from '@preact/signals';
import { keep, readKept } from '../keep';

const KEY = 'refocus-tour';

/** the stop that is shown, from 0 */
export const tourAt = signal<number | undefined>(undefined);

/** Where an earlier visit left the tour: a stop, `done`, or nothing. */
const reached = signal(readKept(KEY));

/** Stops of the tour. */
export const STOPS = 6;

/** How the tour is offered. */
export function tourOffer(): string {
  const at = Number(reached.value);
  if (reached.value === undefined || reached.value === 'done') return 'Tour';
  return Number.isInteger(at) && at > 0 && at < STOPS ? `Tour, ${at + 1} of ${STOPS}` : 'Tour';
}

export function beginTour(): void {
  const at = Number(reached.value);
  goTo(Number.isInteger(at) && at > 0 && at < STOPS ? at : 0);
}

/** @param step from 0 */
export function goTo(step: number): void {
  tourAt.value = step;
  remember(String(step));
}

/** Ends the tour, or leaves it to be gone on with. */
export function endTour(): void {
  remember(tourAt.value === STOPS - 1 ? 'done' : String(tourAt.value));
  tourAt.value = undefined;
  document.querySelector<HTMLElement>('[data-tour]')?.focus({ preventScroll: true });
}

function remember(value: string): void {
  reached.value = value;
  keep(KEY, value);
}
