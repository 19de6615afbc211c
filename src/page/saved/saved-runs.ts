/**
 * Runs that outlive the page: their files and checkpoints are kept in the browser's own file system, so that after a reload they
 * go on without a file being chosen again. A run that goes on holds a lock, so that no two tabs write the same one.
 */

import { signal } from '@preact/signals';
import * as Comlink from 'comlink';
import type { TrainJob, TrainResult, UserFile } from '../../api';
import { builtinSets } from '../../data/builtin/builtin';
import { Discarded, Stopped, UserError } from '../../errors';
import {
  CHECKPOINT_FILES,
  type CheckpointEvent,
  type CheckpointLabel,
  CheckpointQueue,
  newestLabel,
} from '../../run/checkpoint-file';
import { pack, unpack } from '../../worker/pack';
import { nameOf } from '../files';
import { bytes } from '../format';
import type { SavedId } from '../run/reload';
import { fileOf, removeRun, runIds } from './folders';
import type { Keeper } from './keeper';

export interface SavedRun extends CheckpointLabel {
  id: string;
  /** method, network and images, as the user knows them */
  name: string;
}

/** Those that can be gone on with, the latest first. */
export const savedRuns = signal<readonly SavedRun[]>([]);

const JOB = 'job.json';
const INPUTS = 'inputs.bin';
/** Room that is left for checkpoints, bytes. */
const ROOM = 2 ** 27;

const lockOf = (id: string) => `refocus-run ${id}`;

/** Runs that this page has brought to their end: they need not be offered, and make room for the next one. */
const ended = new Set<string>();
/** Runs that this page has gone on with to their end: not offered either, but their files are those of its results. */
const read = new Set<string>();

/** Looks which runs there are. What is left of those that never came to a checkpoint is removed. */
export async function findSavedRuns(): Promise<void> {
  try {
    const ids = await runIds();
    // asked after the folders: a run takes its lock before it has a folder
    const { held = [] } = await navigator.locks.query();
    const inUse = new Set(held.map(({ name }) => name));
    const found: SavedRun[] = [];
    for (const id of ids) {
      if (inUse.has(lockOf(id)) || ended.has(id) || read.has(id)) continue;
      const label = await newestLabel(await checkpointsOf(id));
      const job = await fileOf(id, JOB);
      if (label && job) found.push({ id, name: runName(JSON.parse(await job.text())), ...label });
      else await removeRun(id).catch(() => {});
    }
    savedRuns.value = found.sort((a, b) => (a.date < b.date ? 1 : -1));
  } catch {
    // a browser that keeps nothing has no runs
    savedRuns.value = [];
  }
}

function runName({ settings, model, train }: TrainJob): string {
  const source =
    model.kind === 'file'
      ? nameOf(model.files)
      : model.kind === 'builtin'
        ? 'built-in network'
        : 'random weights';
  const images =
    train.kind === 'files'
      ? nameOf(train.files)
      : `built-in images (${builtinSets[train.set ?? 'builtin'].label.toLowerCase()})`;
  return `${settings.method}, ${source}, ${images}`;
}

async function checkpointsOf(id: string): Promise<UserFile[]> {
  const files: UserFile[] = [];
  for (const path of CHECKPOINT_FILES) {
    const blob = await fileOf(id, path);
    if (blob) files.push({ path, blob });
  }
  return files;
}

/**
 * The job of a saved run, which goes on from its newest checkpoint.
 * @throws UserError where it is not there any more
 */
export async function openSavedRun(id: string): Promise<TrainJob> {
  const job = await fileOf(id, JOB);
  const inputs = await fileOf(id, INPUTS);
  if (!job || !inputs) throw new UserError('That run is not in the browser’s storage any more.');
  const kept = unpack(JSON.parse(await job.text()), inputs) as TrainJob;
  return { ...kept, resume: { checkpoints: await checkpointsOf(id) } };
}

export async function discardRun(id: string): Promise<void> {
  await removeRun(id).catch(() => {});
  await findSavedRuns();
}

/**
 * Does a run and keeps it meanwhile.
 * @param id of the run where it goes on; else it is a new one, and makes room for itself: what this page has shown is removed
 * @param train is given what takes a checkpoint
 * @param tell hears why it cannot be kept; the run goes on without
 */
export async function keepWhile<T extends { result: TrainResult }>(
  job: TrainJob,
  { id, tell }: { id?: string; tell: (why: string) => void },
  train: (keep: (event: CheckpointEvent) => void, saved: SavedId) => Promise<T>,
): Promise<T> {
  const own = id ?? crypto.randomUUID();
  const work = async (lock: Lock | null) => {
    if (!lock) throw new UserError('Another tab goes on with this run.');
    savedRuns.value = savedRuns.value.filter((run) => run.id !== own);
    const files = new RunFiles(own, tell);
    if (id === undefined) files.begin(job);
    try {
      const trained = await train((event) => files.keep(event), { id: own, isKept: () => files.isKept });
      await files.settle();
      const { ended: how } = trained.result.report;
      if (how === 'finished' || how === 'early') (id === undefined ? ended : read).add(own);
      return trained;
    } catch (error) {
      await files.settle();
      const isNothing = error instanceof Discarded || (id === undefined && error instanceof Stopped);
      if (isNothing) await removeRun(own).catch(() => {});
      throw error;
    }
  };
  try {
    return await navigator.locks.request(lockOf(own), { ifAvailable: true }, work);
  } finally {
    await findSavedRuns();
  }
}

/** What is written of a run. */
class RunFiles {
  private static worker?: Comlink.Remote<Keeper>;
  /** whether what was written so far is there, and what follows will be */
  isKept = true;
  private inputs: Promise<void> = Promise.resolve();
  private readonly queue = new CheckpointQueue(({ file, bytes: content }) =>
    this.write(file, [new Blob([content])]),
  );

  constructor(
    private readonly id: string,
    private readonly tell: (why: string) => void,
  ) {}

  /** Writes what the run needs to be done again, its description last: who finds that, has all. */
  begin(job: TrainJob): void {
    const { data, blobs } = pack(job);
    this.inputs = (async () => {
      await removeEnded();
      await this.checkRoom(blobs.reduce((sum, { size }) => sum + size, 0));
      await this.write(INPUTS, blobs);
      await this.write(JOB, [new Blob([JSON.stringify(data)])]);
    })();
  }

  keep(event: CheckpointEvent): void {
    if (this.isKept) this.queue.add(event);
  }

  async settle(): Promise<void> {
    await this.inputs;
    await this.queue.settle();
  }

  private async checkRoom(needed: number): Promise<void> {
    try {
      const { quota = Number.POSITIVE_INFINITY, usage = 0 } = await navigator.storage.estimate();
      if (quota - usage < needed + ROOM)
        this.giveUp(`its files take ${bytes(needed)}, and the browser has room for ${bytes(quota - usage)}`);
    } catch (error) {
      this.giveUp((error as Error).message);
    }
  }

  private async write(name: string, parts: readonly Blob[]): Promise<void> {
    if (!this.isKept) return;
    try {
      RunFiles.worker ??= Comlink.wrap<Keeper>(
        new Worker(new URL('./keeper.ts', import.meta.url), { type: 'module' }),
      );
      await RunFiles.worker.write(this.id, name, parts);
    } catch (error) {
      this.giveUp((error as Error).message);
    }
  }

  /** What is there stays: an earlier checkpoint is better than none. */
  private giveUp(why: string): void {
    if (!this.isKept) return;
    this.isKept = false;
    this.tell(`From here on this run would be lost if the page closed: ${why}.`);
  }
}

async function removeEnded(): Promise<void> {
  for (const id of ended) await removeRun(id).catch(() => {});
  ended.clear();
}
