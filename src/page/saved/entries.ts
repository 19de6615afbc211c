/** The list of runs: what is known of each without its files. It stands in the browser's database, and all tabs see the same. */
import { signal } from '@preact/signals';
import { createStore, del, entries as readAll, set } from 'idb-keyval';
import type { Report } from '../../api';
import type { Remedy } from '../../errors';

/** Changes with what an entry means. */
const FORMAT = 1;

/** How a run came to its end; `unfinished`: it goes on, or was cut off; `broken`: an error ended it after some steps. */
export type RunState = 'unfinished' | 'broken' | Report['ended'];

export interface RunEntry {
  format: typeof FORMAT;
  id: string;
  /** its user's */
  name: string;
  /** which run of which experiment it is */
  cell?: string;
  /** when it began, ISO 8601 */
  date: string;
  state: RunState;
  method: string;
  seed: number;
  epochs: number;
  /** that it has reached, of a run that has no report */
  epoch: number;
  /** the folder of its network and images; absent where they could not be kept, or never were here */
  inputs?: string;
  /** what it came to, without the figures of each class */
  report?: Report;
  /** what ended it, and the settings that would mend that */
  error?: string;
  remedy?: Remedy;
  /** when it was deleted, milliseconds: it can be taken back for a while */
  deleted?: number;
  /** the database did not take it: it goes with the page */
  isVolatile?: boolean;
  /** its files came in a bundle, and none of them was written here */
  isImported?: boolean;
}

export const newEntry = (entry: Omit<RunEntry, 'format'>): RunEntry => ({ format: FORMAT, ...entry });

/** All runs that this version knows, the latest first, deleted ones too. */
export const entries = signal<readonly RunEntry[]>([]);

/** Runs that another version of Refocus has kept, in a form that this one does not know. */
export const strangers = signal<readonly string[]>([]);

/** Ids of the runs that go on, in this tab or another. */
export const goingOn = signal<ReadonlySet<string>>(new Set());

export const lockOf = (id: string) => `refocus-run ${id}`;

const store = createStore('refocus-runs', 'entries');
const channel = new BroadcastChannel('refocus-runs');

const isEntry = (value: unknown): value is RunEntry =>
  typeof value === 'object' && value !== null && (value as RunEntry).format === FORMAT;

/** Reads the list again; runs that live in this page alone stay. */
export async function readEntries(): Promise<void> {
  // a browser that keeps nothing has this page's alone
  const found = await readAll<string, unknown>(store).catch((): [string, unknown][] => []);
  const { held = [] } = await navigator.locks.query();
  const names = new Set(held.map(({ name }) => name));
  const known = found.map(([, value]) => value).filter(isEntry);
  const own = entries.value.filter(({ isVolatile }) => isVolatile);
  const all = [...known.filter(({ id }) => !own.some((one) => one.id === id)), ...own];
  entries.value = all.sort((a, b) => (a.date < b.date ? 1 : -1));
  strangers.value = found.filter(([, value]) => !isEntry(value)).map(([id]) => id);
  goingOn.value = new Set(all.map(({ id }) => id).filter((id) => names.has(lockOf(id))));
}

/** Other tabs' changes show here. */
export function followEntries(): void {
  channel.addEventListener('message', readEntries);
}

/** Tells other tabs, and reads what there is now. */
export async function tellChange(): Promise<void> {
  channel.postMessage('changed');
  await readEntries();
}

/** Writes an entry; where the database takes none, it lives as long as the page. */
export async function putEntry(entry: RunEntry): Promise<void> {
  try {
    if (!entry.isVolatile) await set(entry.id, entry, store);
  } catch {
    entry = { ...entry, isVolatile: true };
  }
  const others = entries.value.filter(({ id }) => id !== entry.id);
  entries.value = [entry, ...others].sort((a, b) => (a.date < b.date ? 1 : -1));
  await tellChange();
}

export async function changeEntry(id: string, change: Partial<RunEntry>): Promise<void> {
  const entry = entryOf(id);
  if (entry) await putEntry({ ...entry, ...change });
}

export async function removeEntry(id: string): Promise<void> {
  await del(id, store).catch(() => {});
  entries.value = entries.value.filter((entry) => entry.id !== id);
  await tellChange();
}

export const entryOf = (id: string): RunEntry | undefined => entries.value.find((entry) => entry.id === id);
