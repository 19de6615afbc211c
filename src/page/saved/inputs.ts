/** The network and images of runs: kept once for all runs on the same files. */
import type { TrainJob } from '../../api';
import { pack, unpack } from '../../worker/pack';
import { bytes } from '../format';
import { entries } from './entries';
import { fileOf, folderIds, removeFolder } from './folders';
import { isInMemory, readFile, writeFile } from './run-folder';

const JOB = 'job.json';
const INPUTS = 'inputs.bin';
const PREFIX = 'inputs-';
/** Room that is left for checkpoints and results, bytes. */
const ROOM = 2 ** 27;

/** Where the files of a job that was opened, or kept, lie: another run on them needs no second copy. */
const places = new WeakMap<object, { model: object; folder: string }>();

const placeOf = ({ train, model }: TrainJob): string | undefined => {
  const place = places.get(train);
  return place && (place.model === model || !('files' in model)) ? place.folder : undefined;
};

/** A name for these files: by what they were when they were chosen; those that are no files of a disk have a new one each. */
async function nameFor(blobs: readonly Blob[], data: unknown): Promise<string> {
  if (blobs.length === 0 || !blobs.every((blob) => blob instanceof File)) return PREFIX + crypto.randomUUID();
  const { model, train, test } = data as TrainJob;
  const text = JSON.stringify([
    model,
    train,
    test,
    blobs.map(({ name, size, lastModified }) => [name, size, lastModified]),
  ]);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return PREFIX + Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Keeps what a run needs to be done again: its files, once for all runs on them, and its description, last: who finds that,
 * has all.
 * @param claim is told where the files will lie before they do, and that they do not where they could not be kept
 * @returns why the files are not kept
 */
export async function keepInputs(
  id: string,
  job: TrainJob,
  claim: (folder?: string) => Promise<void>,
): Promise<string | undefined> {
  const { data, blobs } = pack({ model: job.model, train: job.train, test: job.test });
  const { settings } = job;
  const folder = placeOf(job) ?? (blobs.length > 0 ? await nameFor(blobs, data) : undefined);
  if (folder) await claim(folder);
  const why = folder && (await writeInputs(folder, blobs));
  if (why) await claim(undefined);
  else if (folder) places.set(job.train, { model: job.model, folder });
  const description = { ...(why ? {} : (data as object)), settings };
  await writeFile(id, JOB, [new Blob([JSON.stringify(description)])]);
  return why;
}

async function writeInputs(folder: string, blobs: readonly Blob[]): Promise<string | undefined> {
  const size = blobs.reduce((sum, blob) => sum + blob.size, 0);
  return navigator.locks.request(`refocus-inputs ${folder}`, async () => {
    if ((await fileOf(folder, INPUTS))?.size === size) return undefined;
    const { quota = Number.POSITIVE_INFINITY, usage = 0 } = await navigator.storage.estimate();
    if (quota - usage < size + ROOM)
      return `its files take ${bytes(size)}, and the browser has room for ${bytes(Math.max(0, quota - usage))}`;
    return writeFile(folder, INPUTS, blobs);
  });
}

/** The job that a run was begun with; undefined where its files are not here. */
export async function readJob(id: string, folder: string | undefined): Promise<TrainJob | undefined> {
  const file = await readFile(id, JOB);
  if (!file) return undefined;
  const data = JSON.parse(await file.text());
  // a run of an earlier version has its files beside its description
  const inputs = folder ? await readFile(folder, INPUTS) : await readFile(id, INPUTS);
  if (!data.train || (!inputs && JSON.stringify(data).includes('"$blob"'))) return undefined;
  const job = (await unpack(data, inputs ?? new Blob())) as TrainJob;
  if (folder) places.set(job.train, { model: job.model, folder });
  return job;
}

/** The settings that a run was begun with, as they were asked for. */
export async function readSettingsOf(id: string): Promise<unknown> {
  const file = await readFile(id, JOB);
  return file && JSON.parse(await file.text()).settings;
}

/** Removes files that no run needs any more. */
export async function removeUnused(): Promise<void> {
  const needed = new Set(entries.value.map(({ inputs }) => inputs));
  const ids = await folderIds().catch((): string[] => []);
  for (const id of ids)
    if (id.startsWith(PREFIX) && !needed.has(id) && !isInMemory(id)) await removeFolder(id);
}

export const isInputs = (id: string): boolean => id.startsWith(PREFIX);
