/** Fetched files in a folder of the user's cache, a folder an entry. */
import { mkdir, open, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors';
import type { RemoteCache } from '../remote/cache';
import { FileBlob } from './file-blob';

/** Where fetched files are kept: REFOCUS_CACHE, else below the system's folder for such. */
export const cacheFolder = (): string =>
  process.env.REFOCUS_CACHE ||
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'refocus', 'files');

export function folderCache(folder: string): RemoteCache {
  const facts = (key: string) => join(folder, key, 'facts.json');
  const bytes = (key: string) => join(folder, key, 'content');
  const writing = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      throw new UserError(`${folder} cannot be written to (${code}): name another folder in REFOCUS_CACHE.`);
    }
  };
  return {
    place: folder,
    async readFacts(key) {
      try {
        return JSON.parse(await readFile(facts(key), 'utf8'));
      } catch {
        return undefined;
      }
    },
    writeFacts: (key, value) =>
      writing(async () => {
        await mkdir(join(folder, key), { recursive: true });
        const part = `${facts(key)}.${process.pid}`;
        await writeFile(part, JSON.stringify(value, null, 2), { mode: 0o600 });
        await rename(part, facts(key));
      }),
    async content(key) {
      const path = bytes(key);
      const there = await stat(path).catch(() => undefined);
      return there ? new FileBlob({ path, size: there.size, mtimeMs: there.mtimeMs }) : new Blob();
    },
    append: (key, at) =>
      writing(async () => {
        await mkdir(join(folder, key), { recursive: true });
        // places rather than the end: two processes that fetch the same write the same
        const file = await open(bytes(key), at === 0 ? 'w' : 'r+', 0o600);
        let place = at;
        return {
          write: (piece) =>
            writing(async () => {
              for (let done = 0; done < piece.length; )
                done += (await file.write(piece, done, piece.length - done, place + done)).bytesWritten;
              place += piece.length;
            }),
          close: () => file.close(),
        };
      }),
    remove: (key) => writing(() => rm(join(folder, key), { recursive: true, force: true })),
    async room() {
      const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: undefined, bsize: 0 }));
      return bavail === undefined ? undefined : bavail * bsize;
    },
  };
}
