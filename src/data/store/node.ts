import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../errors';
import { amountOf } from './amount';
import type { ScratchFile } from './scratch';

/** On Linux /tmp is often memory; /var/tmp is for large files. */
const folderOf = (): string => process.env.TMPDIR ?? (process.platform === 'linux' ? '/var/tmp' : tmpdir());

/** A file without a name: it is removed while it is open, so that nothing is left of it however the process ends. */
export async function openNodeScratch(bytes: number, folder = folderOf()): Promise<ScratchFile> {
  const room = await statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => Number.POSITIVE_INFINITY,
  );
  if (room < bytes) throw noRoom(folder, bytes, ` and ${amountOf(room)} are free`);
  const path = join(folder, `refocus-images-${crypto.randomUUID()}`);
  const file = await open(path, 'wx+', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      `${folder} takes no file (${error.code}): set TMPDIR to a folder that takes ${amountOf(bytes)}.`,
    );
  });
  let isOpen = true;
  await rm(path);
  return {
    place: `a temporary file in ${folder}`,
    write: (data, at) =>
      writeAll(file, data, at).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOSPC' ? noRoom(folder, bytes) : error;
      }),
    read: (into, at) => readAll(file, into, at),
    async close() {
      if (isOpen) await file.close();
      isOpen = false;
    },
  };
}

async function writeAll(file: FileHandle, data: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const { bytesWritten } = await file.write(data, done, data.length - done, at + done);
    done += bytesWritten;
  }
}

async function readAll(file: FileHandle, into: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await file.read(into, done, into.length - done, at + done);
    if (bytesRead === 0) throw new Error('the file of images is shorter than it was written');
    done += bytesRead;
  }
}

const noRoom = (folder: string, bytes: number, more = '') =>
  new UserError(
    `The decoded images need ${amountOf(bytes)} in ${folder}${more}: set TMPDIR to a folder with more room, or choose a smaller image size or fewer images (--limit).`,
  );
