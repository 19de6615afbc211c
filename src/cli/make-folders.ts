import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

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
