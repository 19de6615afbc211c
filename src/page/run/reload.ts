/** Goes on with a run after a reload of the page: the last way to another GPU that a page has. */
import { isLeaving } from './state';

export interface SavedId {
  id: string;
  /** whether the browser's storage has the run's files and checkpoints */
  isKept: () => boolean;
}

/** Where the next page of this tab finds the run: its place in the storage, and how far it had come. */
const KEY = 'refocus-goes-on';

interface GoesOn {
  id: string;
  step: number;
}

/** the run that this page was reloaded for */
let reloaded: GoesOn | undefined;

/** What reloads the page for a run that has come to a step; undefined where the new page would not find it. */
export function reloadOnce({ id, isKept }: SavedId) {
  return async (step: number): Promise<void> => {
    const isTried = reloaded?.id === id && reloaded.step >= step;
    if (step === 0 || isTried || !isKept()) return;
    sessionStorage.setItem(KEY, JSON.stringify({ id, step } satisfies GoesOn));
    isLeaving.value = true;
    location.reload();
    // nothing of this page happens any more
    await new Promise(() => {});
  };
}

/** The run that this page was reloaded for; asked once. */
export function takeReloaded(): string | undefined {
  try {
    const text = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    if (text) reloaded = JSON.parse(text) as GoesOn;
  } catch {
    // a browser that keeps nothing has nothing to go on with
  }
  return reloaded?.id;
}
