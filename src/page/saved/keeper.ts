/**
 * A worker that writes files of the browser's own file system (OPFS): only workers can write there as they go. It packs and unpacks
 * bundles too, which takes a while.
 */
import * as Comlink from 'comlink';
import { UserError } from '../../errors';
import { openBundle, packBundle } from '../../run/bundle';
import { folderOf } from './folders';

export interface NamedPart {
  name: string;
  blob: Blob;
}

export interface Keeper {
  /** Writes a file of a run whole, over what it held. */
  write(id: string, name: string, parts: readonly Blob[]): Promise<void>;
  /** Files as one zip archive. */
  pack(files: readonly NamedPart[]): Promise<Blob>;
  /** The files of a bundle; a sentence where it is none. */
  unpack(path: string, blob: Blob): Promise<{ files: NamedPart[] } | { error: string }>;
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
  pack: packBundle,
  async unpack(path, blob) {
    try {
      const bundle = await openBundle({ path, blob });
      const files: NamedPart[] = [];
      for (const name of bundle.names) files.push({ name, blob: (await bundle.open(name))! });
      return { files };
    } catch (error) {
      // a UserError's class does not cross to the page
      if (error instanceof UserError) return { error: error.message };
      throw error;
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
