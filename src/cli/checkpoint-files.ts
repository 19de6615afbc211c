/** A run's checkpoints in its folder: two generations, the newer written beside and renamed over the older. */
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainEvent, UserFile } from '../api';
import { CHECKPOINT_FILES } from '../run/resume';
import { readUserFile } from './files';

export type CheckpointEvent = Extract<TrainEvent, { type: 'checkpoint' }>;

/** Those that a folder has. */
export async function readCheckpoints(folder: string): Promise<UserFile[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const there = CHECKPOINT_FILES.filter((name) => names.includes(name));
  return Promise.all(there.map((name) => readUserFile(join(folder, name))));
}

/** Writes checkpoints one after the other; of those that come while one is written, the newest. */
export class CheckpointFiles {
  private waiting?: CheckpointEvent;
  private writing?: Promise<void>;
  /** name of the newest that is on the disk */
  newest?: string;

  /** @param failed hears of a checkpoint that could not be written; those before it stay */
  constructor(
    private readonly folder: string,
    private readonly failed: (step: number, error: unknown) => void,
  ) {}

  add(event: CheckpointEvent): void {
    this.waiting = event;
    this.writing ??= this.writeAll();
  }

  /** Settles when all is on the disk. */
  async settle(): Promise<void> {
    await this.writing;
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

  private async writeAll(): Promise<void> {
    for (let event = this.waiting; event; event = this.waiting) {
      this.waiting = undefined;
      try {
        await this.write(event);
        this.newest = event.file;
      } catch (error) {
        this.failed(event.step, error);
      }
    }
    this.writing = undefined;
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
