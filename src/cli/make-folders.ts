import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Why a folder or file could not be made, for a message. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'EEXIST' ? 'it is a file' : (code ?? message);
}

/**
 * Makes a folder and those above it, as mkdir's `recursive`, which in Node never ends where the system says that there is no such file though its parent is there, as
 * Linux does in /proc.
 * @returns the topmost folder that was not there before
 */
export async function makeFolders(path: string): Promise<string | undefined> {
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return undefined;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    const made = await makeFolders(dirname(path));
    await mkdir(path);
    return made ?? path;
  }
}
