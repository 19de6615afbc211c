/** A worker that writes files of the browser's own file system (OPFS): only workers can write there as they go. */
import * as Comlink from 'comlink';
import { folderOf } from './folders';

export interface Keeper {
  /** Writes a file of a run whole, over what it held. */
  write(id: string, name: string, parts: readonly Blob[]): Promise<void>;
}

/** Bytes that are in memory at a time. */
const PIECE = 2 ** 22;

const keeper: Keeper = {
  async write(id, name, parts) {
    const file = await (await folderOf(id)).getFileHandle(name, { create: true });
    const access = await openToWrite(file);
    try {
      access.truncate(0);
      let at = 0;
      for (const part of parts) {
        for (let begin = 0; begin < part.size; begin += PIECE) {
          const bytes = new Uint8Array(await part.slice(begin, begin + PIECE).arrayBuffer());
          if (access.write(bytes, { at }) < bytes.length) throw new Error("the browser's storage is full");
          at += bytes.length;
        }
      }
      access.flush();
    } finally {
      access.close();
    }
  },
};

/** Milliseconds between attempts, and how many there are: a page that was just closed lets go of its files a little later. */
const WAIT = 100;
const ATTEMPTS = 50;

async function openToWrite(file: FileSystemFileHandle): Promise<FileSystemSyncAccessHandle> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await file.createSyncAccessHandle();
    } catch (error) {
      if (attempt === ATTEMPTS || (error as Error).name !== 'NoModificationAllowedError') throw error;
      await new Promise((resolve) => setTimeout(resolve, WAIT));
    }
  }
}

Comlink.expose(keeper);
