/** A folder is one process' at a time: two that go on with the same run would write over each other's checkpoints. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors';

const LOCK = 'run.lock';

/**
 * Takes the folder. A lock whose process is gone, as after `kill -9`, is taken over.
 * @returns what lets go of it
 * @throws UserError where another process has it
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, LOCK);
  const own = `${process.pid} ${hostname()}\n`;
  const take = () => writeFileSync(file, own, { flag: 'wx' });
  try {
    take();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    refuseIfHeld(folder, file);
    rmSync(file, { force: true });
    take();
  }
  const release = () => {
    process.off('exit', release);
    rmSync(file, { force: true });
  };
  process.on('exit', release);
  return release;
}

/** @throws UserError where the lock is that of a process that lives, or may live on another machine */
function refuseIfHeld(folder: string, file: string): void {
  const [pid, host] = readFileSync(file, 'utf8').trim().split(' ');
  if (host !== hostname())
    throw new UserError(
      `A process of ${host || 'another machine'} may be training into ${folder}: wait for it, or delete ${file} if it has ended.`,
    );
  if (isAlive(Number(pid)))
    throw new UserError(
      `Another process (${pid}) is training into ${folder}: wait for it or stop it, or name another --out.`,
    );
}

/** Whether a process of this machine lives; never the one that asks. */
export function isAlive(pid: number): boolean {
  // in a container that is started anew every process has its old number
  if (pid === process.pid || !Number.isInteger(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // one of another user's lives, too
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
