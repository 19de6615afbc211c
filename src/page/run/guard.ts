/** What the browser is told of a run: the tab's title, the screen's lock, and the question before the page closes. */
import { effect } from '@preact/signals';
import { series } from '../gpu-use';
import { labels, testFiles, trainFiles, weightsFiles } from '../input/sources';
import { config } from '../settings/config';
import { failure, isBusy, isLeaving, isUnderWay, progress, status } from './state';
import { keepScreenOn } from './wake-lock';

/** Asks before the page closes on a run, tells of it in the tab's title, and keeps the screen on. */
export function guardRun(): void {
  addEventListener('beforeunload', (event) => {
    // between two runs of an experiment what the one came to is being kept
    if (isUnderWay.value && !isLeaving.value) event.preventDefault();
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
    const isUnder = isBusy.value || status.value === 'watching';
    const next = series.value && `${series.value.at} of ${series.value.of}`;
    const state = isUnder ? `${Math.floor(100 * share)} %` : (next ?? words);
    document.title = state ? `${state} · ${title}` : title;
  });
  keepScreenOn();
}
