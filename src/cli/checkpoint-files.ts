/** A run's checkpoints in its folder: two generations, the newer written beside and renamed over the older. */
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { UserFile } from '../api';
import { CHECKPOINT_FILES, type CheckpointEvent, CheckpointQueue } from '../run/checkpoint-file';
import { readUserFile } from './files';

/** Those that a folder has. */
export async function readCheckpoints(folder: string): Promise<UserFile[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const there = CHECKPOINT_FILES.filter((name) => names.includes(name));
  return Promise.all(there.map((name) => readUserFile(join(folder, name))));
}

/** The checkpoints of a run that goes on. */
export class CheckpointFiles {
  private readonly queue: CheckpointQueue;
  /** name of the newest that is on the disk */
  newest?: string;

  /** @param failed hears of a checkpoint that could not be written; those before it stay */
  constructor(
    private readonly folder: string,
    failed: (step: number, error: unknown) => void,
  ) {
    this.queue = new CheckpointQueue(async (event) => {
      try {
        await this.write(event);
        this.newest = event.file;
      } catch (error) {
        failed(event.step, error);
      }
    });
  }

  add(event: CheckpointEvent): void {
    this.queue.add(event);
  }

  /** Settles when all is on the disk. */
  settle(): Promise<void> {
    return this.queue.settle();
  }

  /** Leaves the newest alone. @returns its size in bytes, undefined where there is none */
  async keepNewest(): Promise<number | undefined> {
    await this.settle();
    const { newest } = this;
    if (!newest) return undefined;
    for (const name of CHECKPOINT_FILES)
      if (name !== newest) await rm(join(this.folder, name), { force: true });
    return (await stat(join(this.folder, newest))).size;
  }

  /** Synced before it is renamed: after a crash of the machine the name never stands for half a file. */
  private async write({ file, bytes }: CheckpointEvent): Promise<void> {
    const target = join(this.folder, file);
    const part = `${target}.part`;
    try {
      await synced(part, 'w', (handle) => handle.writeFile(bytes));
      await rename(part, target);
    } catch (error) {
      await rm(part, { force: true }).catch(() => {});
      throw error;
    }
    // the name itself; a file system that cannot sync a folder has it when it has it
    await synced(this.folder, 'r').catch(() => {});
  }
}

async function synced(
  path: string,
  flags: string,
  write: (handle: Awaited<ReturnType<typeof open>>) => Promise<void> = async () => {},
): Promise<void> {
  const handle = await open(path, flags);
  try {
    await write(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
