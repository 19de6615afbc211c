/** A run is seen in the other tabs of the page as well: they watch it, and may take it over. */
import { batch, effect, signal } from '@preact/signals';
import type { TrainEvent, TrainSettings } from '../../api';
import { UserError } from '../../errors';
import { whileLocked } from '../locks';
import { readEntries, lockOf as runLockOf } from '../saved/entries';
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
  | { type: 'event'; tab: string; event: TrainEvent }
  /** asks that tab for its run */
  | { type: 'hand over'; tab: string }
  /** the tab lives, and hands its run over, unless it says why not */
  | { type: 'answer'; tab: string; why?: string };

/** Signals that a tab which comes later needs. */
const shown = { phase, plan, rate, evals, live, notes, warnings };

interface Run {
  /** its place in the storage */
  id: string;
  settings: TrainSettings;
  steps: typeof steps;
  stepTimes: number[];
  shown: { [Name in keyof typeof shown]: (typeof shown)[Name]['value'] };
}

const post = (message: Message) => channel.postMessage(message);

/** A run of this tab. */
interface Own {
  id: string;
  /** why another tab cannot have it, a sentence; undefined where it can */
  obstacle: () => string | undefined;
  /** ends it here once it can go on there */
  handOver: () => void;
  /** hears that another tab took the run away */
  lost: () => void;
}

let own: Own | undefined;
/** the tab whose run is watched, and the run */
export const watched = signal<{ tab: string; id: string } | undefined>(undefined);

/** Does a run that the other tabs are told of. */
export function whileTabsWatch<T>(of: Own, run: () => Promise<T>): Promise<T> {
  return whileLocked(lockOf(tab), { lost: of.lost }, async () => {
    own = of;
    tellRun();
    try {
      return await run();
    } finally {
      own = undefined;
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
    id: own!.id,
    settings: runSettings.value!,
    ...{ steps, stepTimes, shown: Object.fromEntries(values) as Run['shown'] },
  };
  post({ type: 'run', tab, run });
}

/** Watches a run of another tab as long as this one has nothing of its own to show. */
export function followOtherTabs(): void {
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.type === 'who trains') {
      if (own) tellRun();
    } else if (data.type === 'run') {
      if (status.value === 'idle' && finished.value.length === 0) watch(data.tab, data.run);
    } else if (data.type === 'hand over') {
      if (own && data.tab === tab) answer(own);
    } else if (data.type === 'answer') {
      answers.get(data.tab)?.(data.why);
    } else if (
      status.value === 'watching' &&
      data.tab === watched.value?.tab &&
      data.event.type !== 'tuned'
    ) {
      receive(data.event);
    }
  };
  // asked again whenever nothing runs here: what began elsewhere while this tab was busy, with a run that it handed over, was not heard
  effect(() => {
    if (status.value === 'idle') post({ type: 'who trains' });
  });
}

function answer({ obstacle, handOver }: Own): void {
  const why = obstacle();
  post({ type: 'answer', tab, why });
  if (!why) handOver();
}

/** who waits for the answer of a tab */
const answers = new Map<string, (why?: string) => void>();

/** Milliseconds without an answer after which a tab counts as hung: one that trains answers at once, in its worker's time. */
const ANSWER_MS = 5000;

/**
 * Takes the run that is watched from its tab, which ends it behind a checkpoint; from a tab that does not answer it is taken away.
 * @returns the run's id, once this tab can go on with it
 * @throws UserError where the other tab keeps it
 */
export async function takeWatched(): Promise<string> {
  if (!watched.value) throw new UserError('There is no run of another tab to take over.');
  const { tab: other, id } = watched.value;
  const answered = new Promise<{ why?: string }>((resolve) => answers.set(other, (why) => resolve({ why })));
  post({ type: 'hand over', tab: other });
  const timedOut = new Promise<undefined>((resolve) => setTimeout(resolve, ANSWER_MS));
  const reply = await Promise.race([answered, timedOut]).finally(() => answers.delete(other));
  if (reply?.why) throw new UserError(reply.why);
  const steal = !reply;
  // the one tells of the run's end there, the other one is the run's own
  for (const name of [lockOf(other), runLockOf(id)]) await navigator.locks.request(name, { steal }, () => {});
  status.value = 'idle';
  await readEntries();
  return id;
}

/** Milliseconds that a tab may take to let go of what it held. */
const LET_GO_MS = 500;

function watch(other: string, run: Run): void {
  batch(() => {
    watched.value = { tab: other, id: run.id };
    reset(run.settings);
    putSteps(run.steps, run.stepTimes);
    for (const [name, signal] of Object.entries(shown))
      (signal as { value: unknown }).value = run.shown[name as keyof typeof shown];
    status.value = 'watching';
  });
  // granted once the run is over or its tab is closed
  navigator.locks.request(lockOf(other), () => {
    if (status.value !== 'watching' || watched.value?.tab !== other) return;
    status.value = 'idle';
    // a tab that closes lets go of its locks one after the other
    setTimeout(readEntries, LET_GO_MS);
  });
}
