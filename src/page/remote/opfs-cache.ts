/** Fetched files in the browser's own file system (OPFS): a folder an entry, its bytes in pieces, since a file that grows is copied. */
import { UserError } from '../../errors';
import type { RemoteCache } from '../../remote/cache';

const FOLDER = 'refocus-fetched';
/** Bytes of a piece: as much is lost where a tab is closed. */
const PIECE = 2 ** 24;
const FACTS = 'facts.json';

const root = async (): Promise<FileSystemDirectoryHandle> =>
  (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });

const entry = async (key: string, create = false): Promise<FileSystemDirectoryHandle | undefined> => {
  try {
    return await (await root()).getDirectoryHandle(key, { create });
  } catch {
    if (create) throw new UserError('This browser window keeps no files: download the file and choose it.');
    return undefined;
  }
};

const nameOf = (piece: number): string => `${piece}`.padStart(6, '0');

async function piecesOf(folder: FileSystemDirectoryHandle): Promise<File[]> {
  const files: File[] = [];
  for (;;) {
    const handle = await folder.getFileHandle(nameOf(files.length)).catch(() => undefined);
    if (!handle) return files;
    files.push(await handle.getFile());
  }
}

async function put(folder: FileSystemDirectoryHandle, name: string, data: Blob | string): Promise<void> {
  try {
    const file = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await file.write(data);
    await file.close();
  } catch (error) {
    if ((error as Error).name !== 'QuotaExceededError') throw error;
    throw new UserError("The browser's storage is full: delete runs, or download the file and choose it.");
  }
}

export const opfsCache: RemoteCache = {
  place: "the browser's storage",
  async readFacts(key) {
    try {
      const file = await (await entry(key))?.getFileHandle(FACTS);
      return file && JSON.parse(await (await file.getFile()).text());
    } catch {
      return undefined;
    }
  },
  async writeFacts(key, facts) {
    await put((await entry(key, true))!, FACTS, JSON.stringify(facts));
  },
  async content(key) {
    const folder = await entry(key);
    return new Blob(folder ? await piecesOf(folder) : []);
  },
  async append(key) {
    const folder = (await entry(key, true))!;
    let count = (await piecesOf(folder)).length;
    let held: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    const flush = async () => {
      if (bytes === 0) return;
      await put(folder, nameOf(count++), new Blob(held));
      [held, bytes] = [[], 0];
    };
    return {
      async write(piece) {
        held.push(new Uint8Array(piece));
        bytes += piece.length;
        if (bytes >= PIECE) await flush();
      },
      close: flush,
    };
  },
  async remove(key) {
    await (await root()).removeEntry(key, { recursive: true }).catch(() => {});
  },
  async room() {
    const { quota, usage = 0 } = await navigator.storage.estimate();
    return quota === undefined ? undefined : quota - usage;
  },
};
