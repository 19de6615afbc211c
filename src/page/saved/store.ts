/**
 * Runs that outlive the page: what they were made of, their checkpoints and their results are kept in the browser's own file
 * system, so that they come back after a reload and go on. A run that goes on holds a lock, so that no two tabs write the same one.
 */
import type { TrainJob, TrainSettings, UserFile } from '../../api';
import { builtinSets } from '../../data/builtin/builtin';
import { Discarded, UserError } from '../../errors';
import {
  CHECKPOINT_FILES,
  type CheckpointEvent,
  CheckpointQueue,
  newestLabel,
} from '../../run/checkpoint-file';
import { lowerRate } from '../../train/divergence';
import { parseSettings } from '../../train/settings';
import { nameOf } from '../files';
import { whileLocked } from '../locks';
import { HandedOver } from '../run/hand-over';
import {
  changeEntry,
  entries,
  entryOf,
  goingOn,
  lockOf,
  newEntry,
  putEntry,
  type RunEntry,
  readEntries,
  removeEntry,
  strangers,
  tellChange,
} from './entries';
import { folderIds, removeFolder } from './folders';
import { isInputs, keepInputs, readJob, readSettingsOf, removeUnused } from './inputs';
import { forget, readFile, writeAgain, writeFile } from './run-folder';

/** Runs as lists show them: those that are not deleted. */
export const listed = (): RunEntry[] => entries.value.filter(({ deleted }) => deleted === undefined);

/** Whether a run was cut off: by a closed page, a crash, or an error after some steps. */
export const isCutOff = ({ id, state }: RunEntry): boolean =>
  (state === 'unfinished' || state === 'broken') && !goingOn.value.has(id);

/** Whether a run can go on, from its checkpoint or from its beginning. */
export const canGoOn = (entry: RunEntry): boolean =>
  !goingOn.value.has(entry.id) &&
  ['unfinished', 'broken', 'stopped', 'failed', 'diverged'].includes(entry.state);

/** Milliseconds for which a deleted run can be taken back. */
export const UNDO = 30_000;

/** Looks which runs there are, and removes what is left of deleted ones. */
export async function findRuns(): Promise<void> {
  await readEntries();
  try {
    await adopt();
    for (const { id, state, deleted } of entries.value) {
      if (deleted !== undefined) await purgeInTime(id);
      else if (state === 'unfinished' || state === 'broken') await notePlace(id);
    }
  } catch {
    // a browser that keeps nothing has no runs but this page's
  }
}

/** How far a cut-off run has come, by its newest checkpoint. */
async function notePlace(id: string): Promise<void> {
  const label = await newestLabel(await checkpointsOf(id));
  const entry = entryOf(id);
  if (label && entry && entry.epoch !== label.epoch) await changeEntry(id, { epoch: label.epoch });
}

/** Runs that an earlier version left have no entry; they can go on all the same. */
async function adopt(): Promise<void> {
  const ids = await folderIds();
  // asked after the folders: a run takes its lock, and then its entry, before it has a folder
  const { held = [] } = await navigator.locks.query();
  const names = new Set(held.map(({ name }) => name));
  await readEntries();
  for (const id of ids) {
    if (isInputs(id) || entryOf(id) || names.has(lockOf(id)) || strangers.value.includes(id)) continue;
    const job = await readJob(id, undefined).catch(() => undefined);
    const label = await newestLabel(await checkpointsOf(id));
    if (!job || !label) {
      await removeFolder(id);
      continue;
    }
    await putEntry({ ...entryFor(id, job), date: label.date, epoch: label.epoch });
  }
}

export async function checkpointsOf(id: string): Promise<UserFile[]> {
  const files: UserFile[] = [];
  for (const path of CHECKPOINT_FILES) {
    const blob = await readFile(id, path);
    if (blob) files.push({ path, blob });
  }
  return files;
}

const networkOf = ({ model }: TrainJob): string =>
  model.kind === 'file'
    ? nameOf(model.files)
    : model.kind === 'builtin'
      ? 'built-in network'
      : 'random weights';

const imagesOf = ({ train }: TrainJob): string =>
  train.kind === 'files' ? nameOf(train.files) : builtinSets[train.set ?? 'builtin'].label.toLowerCase();

/** The name that a run has until its user gives it another. */
function defaultName(job: TrainJob, date: Date): string {
  const { method, seed } = job.settings;
  const time = date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
  const which = seed === 0 ? [] : [`seed ${seed}`];
  return [method, networkOf(job), imagesOf(job), ...which, time].join(', ');
}

function entryFor(id: string, job: TrainJob): RunEntry {
  const { method, seed, epochs } = job.settings;
  const date = new Date();
  return newEntry({
    ...{ id, name: defaultName(job, date), date: date.toISOString(), state: 'unfinished' },
    ...{ method, seed, epochs, epoch: 0 },
  });
}

/**
 * The job of a run, which goes on from its newest checkpoint, or begins again where it has none.
 * @param files gives network and images where the run's own are not here: the same files, chosen again
 */
export async function openToGoOn(id: string, files: () => Omit<TrainJob, 'settings'>): Promise<TrainJob> {
  const entry = entryOf(id);
  const job = (await readJob(id, entry?.inputs)) ?? {
    ...chosenAgain(files),
    settings: await settingsOf(id),
  };
  const checkpoints = await checkpointsOf(id);
  // what broke it would break it again
  const remedy = entry?.state === 'broken' ? entry.remedy : undefined;
  if (checkpoints.length === 0) return { ...job, settings: parseSettings({ ...job.settings, ...remedy }) };
  // from its last good epoch, at a rate that it may stand
  const rate =
    entry?.state === 'diverged' && entry.report
      ? lowerRate(entry.report.settings.lr)
      : (remedy?.lr as number | undefined);
  return { ...job, resume: { checkpoints, rate } };
}

function chosenAgain(files: () => Omit<TrainJob, 'settings'>): Omit<TrainJob, 'settings'> {
  const chosen = chosenIn(files);
  // what comes with the page cannot be lost: it is not what the run was on
  if (chosen?.train.kind === 'files') return chosen;
  throw new UserError(
    'The network and images of this run are not in the browser’s storage: choose the same again in step 1, then go on with it.',
  );
}

/** undefined where not all is chosen */
function chosenIn(files: () => Omit<TrainJob, 'settings'>): Omit<TrainJob, 'settings'> | undefined {
  try {
    return files();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

async function settingsOf(id: string): Promise<TrainSettings> {
  const settings = await readSettingsOf(id);
  if (!settings) throw new UserError('That run is not in the browser’s storage any more.');
  return parseSettings(settings);
}

/** What a run is kept by while it goes on. */
export interface Kept {
  id: string;
  /** whether the browser's storage has its files, so that another page can go on with it */
  isKept(): boolean;
  /** keeps a checkpoint */
  keep(event: CheckpointEvent): void;
  /** keeps a file of results */
  write(name: string, content: BlobPart): Promise<void>;
  /** notes in the list what the run has come to */
  note(change: Partial<RunEntry>): Promise<void>;
}

/** By what a run of an experiment is found again, and its name in the list. */
export type CellName = Required<Pick<RunEntry, 'cell' | 'name'>>;

export interface KeptAs {
  /** of the run that goes on; absent: it is a new one */
  id?: string;
  /** of a new run that is an experiment's */
  cell?: CellName;
}

interface KeepOptions extends KeptAs {
  /** hears what could not be kept; the run goes on without */
  tell: (why: string) => void;
  /** hears that another tab took the run's lock away */
  lost?: () => void;
}

/**
 * Does a run and keeps it meanwhile.
 * @param train does it; what it throws ends the run, which stays if it has come to a checkpoint or is noted as broken
 */
export async function keepWhile<T>(
  job: TrainJob,
  { id, cell, tell, lost }: KeepOptions,
  train: (kept: Kept) => Promise<T>,
): Promise<T> {
  const own = id ?? crypto.randomUUID();
  const work = async (lock: Lock | null) => {
    if (!lock) throw new UserError('Another tab goes on with this run.');
    const writer = new RunWriter(own, tell);
    if (id === undefined) writer.begin(job, cell);
    else
      await changeEntry(own, {
        state: 'unfinished',
        error: undefined,
        remedy: undefined,
        deleted: undefined,
      });
    try {
      return await train(writer);
    } catch (error) {
      await writer.settle();
      const isNew = id === undefined;
      const isElsewhere = error instanceof HandedOver;
      const isNothing = isNew && !isElsewhere && !(await isWorthKeeping(own));
      if (isNothing || error instanceof Discarded) await purge(own);
      throw error;
    } finally {
      await writer.settle();
    }
  };
  try {
    return await whileLocked(lockOf(own), { ifAvailable: true, lost }, work);
  } finally {
    // the lock is free: only now do other tabs find that the run does not go on
    await tellChange();
    await findRuns();
  }
}

/** Whether there is something of a run that has no result: a checkpoint, or curves. */
const isWorthKeeping = async (id: string): Promise<boolean> =>
  entryOf(id)?.state === 'broken' || (await checkpointsOf(id)).length > 0;

class RunWriter implements Kept {
  private ready: Promise<unknown> = Promise.resolve();
  private isTold = false;
  private hasInputs = true;
  private readonly queue = new CheckpointQueue(({ file, bytes }) => this.write(file, bytes));

  constructor(
    readonly id: string,
    private readonly tell: (why: string) => void,
  ) {}

  begin(job: TrainJob, cell?: CellName): void {
    const { id } = this;
    this.ready = (async () => {
      await putEntry({ ...entryFor(id, job), ...cell });
      const why = await keepInputs(id, job, (inputs) => changeEntry(id, { inputs })).catch(
        (error: Error) => error.message,
      );
      this.hasInputs = !why;
      if (why)
        this.tell(
          `The network and images of this run are not kept: ${why}. Its results are; to go on with it after a reload, the same files must be chosen again.`,
        );
    })();
  }

  isKept(): boolean {
    return this.hasInputs && !this.isTold;
  }

  keep(event: CheckpointEvent): void {
    this.queue.add(event);
  }

  async write(name: string, content: BlobPart): Promise<void> {
    const why = await writeFile(this.id, name, [new Blob([content])]);
    if (!why && this.isTold && (await writeAgain(this.id))) {
      this.isTold = false;
      await changeEntry(this.id, { isVolatile: undefined });
      this.tell('There is room again: this run is kept in the browser’s storage from here on.');
    }
    if (!why || this.isTold) return;
    this.isTold = true;
    this.tell(
      `From here on this run lives in this page alone, and is lost when it closes: ${why}. Delete runs that you do not need, or export this one.`,
    );
  }

  async note(change: Partial<RunEntry>): Promise<void> {
    // it has its entry first
    await this.ready;
    await changeEntry(this.id, change);
  }

  async settle(): Promise<void> {
    await this.ready;
    await this.queue.settle();
  }
}

/** The runs that are deleted and can be taken back, the latest deleted first. */
export const deletedRuns = (): RunEntry[] =>
  entries.value
    .filter(({ deleted }) => deleted !== undefined)
    .sort((a, b) => Number(b.deleted) - Number(a.deleted));

/** Deletes a run; for a while it can be taken back. */
export async function deleteRun(id: string): Promise<void> {
  if (goingOn.value.has(id)) return;
  await changeEntry(id, { deleted: Date.now() });
  await purgeInTime(id);
}

export const takeBack = (id: string): Promise<void> => changeEntry(id, { deleted: undefined });

/** Removes a deleted run, once it is no longer to be taken back. */
async function purgeInTime(id: string): Promise<void> {
  const deleted = entryOf(id)?.deleted;
  if (deleted === undefined) return;
  const left = deleted + UNDO - Date.now();
  if (left <= 0) await purge(id);
  else setTimeout(() => purgeInTime(id), left);
}

/** Removes a run for good. */
export async function purge(id: string): Promise<void> {
  await removeEntry(id);
  forget(id);
  await removeFolder(id).catch(() => {});
  await removeUnused();
}

export const renameRun = (id: string, name: string): Promise<void> =>
  name.trim() === '' ? Promise.resolve() : changeEntry(id, { name: name.trim().slice(0, 200) });
