import { UserError } from '../../errors';
import { amountOf } from './amount';
import type { ScratchFile } from './scratch';

const FOLDER = 'refocus-images';

/**
 * A file in the browser's own file system (OPFS). Files that an ended tab left behind are removed first: one that is in use is
 * locked, and stays.
 */
export async function openOpfsScratch(bytes: number): Promise<ScratchFile | undefined> {
  // only workers have handles that read and write at a place
  if (!('FileSystemSyncAccessHandle' in globalThis) || !navigator.storage?.getDirectory) return undefined;
  let access: FileSystemSyncAccessHandle;
  let folder: FileSystemDirectoryHandle;
  const name = crypto.randomUUID();
  try {
    const root = await navigator.storage.getDirectory();
    folder = await root.getDirectoryHandle(FOLDER, { create: true });
    await removeLeftovers(folder);
    access = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
  } catch {
    // a private window may have the interface and refuse its use
    return undefined;
  }
  const { quota = Number.POSITIVE_INFINITY, usage = 0 } = await navigator.storage.estimate();
  let isOpen = true;
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    access.close();
    await folder.removeEntry(name).catch(() => {});
  };
  if (quota - usage < bytes) {
    await close();
    throw noRoom(bytes);
  }
  return {
    place: "the browser's storage",
    async write(data, at) {
      try {
        if (access.write(data, { at }) < data.length) throw noRoom(bytes);
      } catch (error) {
        throw (error as Error).name === 'QuotaExceededError' ? noRoom(bytes) : error;
      }
    },
    async read(into, at) {
      if (access.read(into, { at }) < into.length)
        throw new Error('the file of images is shorter than it was written');
    },
    close,
  };
}

async function removeLeftovers(folder: FileSystemDirectoryHandle): Promise<void> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  for (const name of names) await folder.removeEntry(name).catch(() => {});
}

const noRoom = (bytes: number) =>
  new UserError(
    `The decoded images need ${amountOf(bytes)}, more than the browser gives this page: free some space on the disk, or choose a smaller image size or fewer images.`,
  );
