/** What the page finds of earlier runs when it opens. */
import { effect } from '@preact/signals';
import { isBusy, shownRun } from '../run/state';
import { entryOf } from './entries';
import { isAnyInMemory } from './run-folder';
import { bringRun, rememberedRun, rememberShown } from './show';
import { findRuns } from './store';

/** Lists the runs, and shows the one that this tab showed before a reload. */
export async function openSaved(): Promise<void> {
  const last = rememberedRun();
  addEventListener('beforeunload', (event) => {
    // what storage did not take is nowhere else
    if (isAnyInMemory()) event.preventDefault();
  });
  await findRuns();
  const entry = last === undefined ? undefined : entryOf(last);
  // what a click has come to meanwhile stays in sight
  if (entry?.report && entry.deleted === undefined && !isBusy.value) await bringRun(entry.id);
  effect(() => {
    if (shownRun.value) rememberShown(shownRun.value.id);
  });
}
