/** What the browser is told of a run: the tab's title, the screen's lock, and the question before the page closes. */
import { effect } from '@preact/signals';
import { labels, testFiles, trainFiles, weightsFiles } from '../input/sources';
import { config } from '../settings/config';
import { failure, isBusy, isLeaving, progress, status } from './state';
import { keepScreenOn } from './wake-lock';

/** Asks before the page closes on a run, tells of it in the tab's title, and keeps the screen on. */
export function guardRun(): void {
  addEventListener('beforeunload', (event) => {
    if (isBusy.value && !isLeaving.value) event.preventDefault();
  });
  // an error goes with its cause
  effect(() => {
    void [config.value, weightsFiles.value, trainFiles.value, testFiles.value, labels.value];
    failure.value = undefined;
  });
  const title = document.title;
  effect(() => {
    const share = progress.value;
    const words = status.value === 'failed' ? 'Failed' : status.value === 'done' ? 'Done' : undefined;
    const state = isBusy.value || status.value === 'watching' ? `${Math.floor(100 * share)} %` : words;
    document.title = state ? `${state} · ${title}` : title;
  });
  keepScreenOn();
}
