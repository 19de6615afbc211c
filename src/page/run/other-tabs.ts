/** A run is seen in the other tabs of the page as well: they watch it, and have no hand in it. */
import { batch } from '@preact/signals';
import type { TrainEvent, TrainSettings } from '../../api';
import { readEntries } from '../saved/entries';
import { receive } from './events';
import {
  evals,
  finished,
  live,
  notes,
  phase,
  plan,
  putSteps,
  rate,
  reset,
  runSettings,
  status,
  steps,
  stepTimes,
  warnings,
} from './state';

const CHANNEL = 'refocus-run';
/** The tab that trains holds it: who waits for it hears of the run's end, and of the tab's. */
const lockOf = (tab: string) => `refocus-tab ${tab}`;

const tab = crypto.randomUUID();
const channel = new BroadcastChannel(CHANNEL);

type Message =
  | { type: 'who trains' }
  | { type: 'run'; tab: string; run: Run }
  | { type: 'event'; tab: string; event: TrainEvent };

/** Signals that a tab which comes later needs. */
const shown = { phase, plan, rate, evals, live, notes, warnings };

interface Run {
  settings: TrainSettings;
  steps: typeof steps;
  stepTimes: number[];
  shown: { [Name in keyof typeof shown]: (typeof shown)[Name]['value'] };
}

const post = (message: Message) => channel.postMessage(message);

let isTraining = false;
/** the tab whose run is watched */
let watched: string | undefined;

/** Does a run that the other tabs are told of. */
export function whileTabsWatch<T>(run: () => Promise<T>): Promise<T> {
  return navigator.locks.request(lockOf(tab), async () => {
    isTraining = true;
    tellRun();
    try {
      return await run();
    } finally {
      isTraining = false;
    }
  });
}

/** Tells an event of the own run; matrices and files stay here. */
export function tellTabs(event: TrainEvent): void {
  if (event.type !== 'redundancy' && event.type !== 'checkpoint') post({ type: 'event', tab, event });
}

function tellRun(): void {
  const values = Object.entries(shown).map(([name, { value }]) => [name, value]);
  const run = {
    settings: runSettings.value!,
    ...{ steps, stepTimes, shown: Object.fromEntries(values) as Run['shown'] },
  };
  post({ type: 'run', tab, run });
}

/** Watches a run of another tab as long as this one has nothing of its own to show. */
export function followOtherTabs(): void {
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.type === 'who trains') {
      if (isTraining) tellRun();
    } else if (data.type === 'run') {
      if (status.value === 'idle' && finished.value.length === 0) watch(data.tab, data.run);
    } else if (status.value === 'watching' && data.tab === watched && data.event.type !== 'tuned') {
      receive(data.event);
    }
  };
  post({ type: 'who trains' });
}

/** Milliseconds that a tab may take to let go of what it held. */
const LET_GO_MS = 500;

function watch(other: string, run: Run): void {
  watched = other;
  batch(() => {
    reset(run.settings);
    putSteps(run.steps, run.stepTimes);
    for (const [name, signal] of Object.entries(shown))
      (signal as { value: unknown }).value = run.shown[name as keyof typeof shown];
    status.value = 'watching';
  });
  // granted once the run is over or its tab is closed
  navigator.locks.request(lockOf(other), () => {
    if (status.value !== 'watching' || watched !== other) return;
    status.value = 'idle';
    // a tab that closes lets go of its locks one after the other
    setTimeout(readEntries, LET_GO_MS);
  });
}
