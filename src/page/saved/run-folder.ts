/** The files of one run in the browser's storage; what that does not take stays in memory, as long as the page does. */
import * as Comlink from 'comlink';
import { UserError } from '../../errors';
import { fileOf, filesOf, folderOf } from './folders';
import type { Keeper, NamedPart } from './keeper';

interface Connection {
  keeper: Keeper;
  /** rejects when the worker does not load or breaks; its calls would wait for ever */
  failure: Promise<never>;
}

let connection: Connection | undefined;

function connect(): Connection {
  const worker = new Worker(new URL('./keeper.ts', import.meta.url), { type: 'module' });
  const failure = new Promise<never>((_, reject) => {
    worker.addEventListener('error', (event) => {
      connection = undefined;
      worker.terminate();
      reject(new Error(event.message || 'the worker that writes it did not load'));
    });
  });
  failure.catch(() => {});
  return { keeper: Comlink.wrap<Keeper>(worker) as unknown as Keeper, failure };
}

/** Asks the worker; one that failed is replaced at the next call. */
function ask<T>(call: (keeper: Keeper) => Promise<T>): Promise<T> {
  connection ??= connect();
  return Promise.race([call(connection.keeper), connection.failure]);
}

/** Files that storage did not take, by folder and name. */
const inMemory = new Map<string, Map<string, Blob>>();

/** Whether some of a run is in this page alone. */
export const isInMemory = (id: string): boolean => (inMemory.get(id)?.size ?? 0) > 0;

export const isAnyInMemory = (): boolean => [...inMemory.keys()].some(isInMemory);

/** Writes a file whole. @returns why it is in memory alone; undefined where it is in the storage */
export async function writeFile(
  id: string,
  name: string,
  parts: readonly Blob[],
): Promise<string | undefined> {
  const memory = inMemory.get(id);
  try {
    await ask((keeper) => keeper.write(id, name, parts));
    memory?.delete(name);
    return undefined;
  } catch (error) {
    inMemory.set(id, (memory ?? new Map<string, Blob>()).set(name, new Blob([...parts])));
    return reasonOf(error as Error);
  }
}

/** Writes what is in memory alone, should there be room meanwhile. @returns whether all of the run is in the storage */
export async function writeAgain(id: string): Promise<boolean> {
  for (const [name, blob] of [...(inMemory.get(id) ?? [])])
    if (await writeFile(id, name, [blob])) return false;
  return true;
}

const reasonOf = ({ name, message }: Error): string =>
  name === 'QuotaExceededError' ? 'the browser’s storage is full' : message;

/** A file of a run; undefined where there is none. */
export const readFile = async (id: string, name: string): Promise<Blob | undefined> =>
  inMemory.get(id)?.get(name) ?? fileOf(id, name);

export async function removeFile(id: string, name: string): Promise<void> {
  inMemory.get(id)?.delete(name);
  await folderOf(id)
    .then((folder) => folder.removeEntry(name))
    .catch(() => {});
}

/** All files of a run. */
export async function allFiles(id: string): Promise<NamedPart[]> {
  const files = new Map<string, Blob>();
  for (const file of await filesOf(id)) files.set(file.name, file);
  for (const [name, blob] of inMemory.get(id) ?? []) files.set(name, blob);
  return [...files].map(([name, blob]) => ({ name, blob }));
}

export const forget = (id: string): void => void inMemory.delete(id);

export const pack = (files: readonly NamedPart[]): Promise<Blob> => ask((keeper) => keeper.pack(files));

/** @throws UserError where the file is no bundle */
export async function unpack(path: string, blob: Blob): Promise<NamedPart[]> {
  const unpacked = await ask((keeper) => keeper.unpack(path, blob));
  if ('error' in unpacked) throw new UserError(unpacked.error);
  return unpacked.files;
}
