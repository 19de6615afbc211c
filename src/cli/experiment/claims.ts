/**
 * Which process of this machine has which cell of an experiment: a folder of claims. A claim is a file that only one can make, and
 * that its process touches as long as it works on the cell; one whose process is gone is taken over by a claim of the next number,
 * which again only one can make.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../folder-lock';

/** A process touches its claims so often, and is taken to be gone after so long without; milliseconds. */
const BEAT = 5_000;
const STALE = 120_000;

/** Tells this process from an earlier one of the same number. */
const TOKEN = crypto.randomUUID();

export class Claims {
  /** @param folder made where it is not there */
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** Takes a cell; undefined where another process has it. @returns what lets go of it */
  take(cell: string): (() => void) | undefined {
    const newest = this.newest(cell);
    if (newest > 0 && this.isHeld(this.file(cell, newest))) return undefined;
    const file = this.file(cell, newest + 1);
    try {
      const content = { pid: process.pid, host: hostname(), token: TOKEN };
      writeFileSync(file, JSON.stringify(content), { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
      throw error;
    }
    const beat = setInterval(() => {
      try {
        utimesSync(file, new Date(), new Date());
      } catch {
        // a folder that is gone is noticed where results are written
      }
    }, BEAT);
    beat.unref();
    const release = () => {
      clearInterval(beat);
      process.off('exit', release);
      rmSync(file, { force: true });
    };
    process.on('exit', release);
    return release;
  }

  /** Whether a process, this one or another, works on the cell. */
  isTaken(cell: string): boolean {
    const newest = this.newest(cell);
    return newest > 0 && this.isHeld(this.file(cell, newest));
  }

  /** Names have no underscore. */
  private file(cell: string, number: number): string {
    return join(this.folder, `${cell.replaceAll('/', '_')}.${number}.claim`);
  }

  /** The number of the newest claim on a cell, 0 where there is none. */
  private newest(cell: string): number {
    const start = `${cell.replaceAll('/', '_')}.`;
    const numbers = readdirSync(this.folder)
      .filter((name) => name.startsWith(start))
      .map((name) => /^(\d+)\.claim$/.exec(name.slice(start.length))?.[1]);
    return Math.max(0, ...numbers.map((number) => Number(number ?? 0)));
  }

  private isHeld(file: string): boolean {
    let age: number;
    let content: string;
    try {
      age = Date.now() - statSync(file).mtimeMs;
      content = readFileSync(file, 'utf8');
    } catch {
      // let go of meanwhile
      return false;
    }
    if (age > STALE) return false;
    let owner: { pid?: unknown; host?: unknown; token?: unknown };
    try {
      owner = JSON.parse(content) ?? {};
    } catch {
      // it is being written, or its process ended while it did
      return true;
    }
    return owner.token === TOKEN || owner.host !== hostname() || isAlive(Number(owner.pid));
  }
}
