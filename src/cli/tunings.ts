/** What autotune found, kept for later runs in the user's cache folder. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Tuning } from '../graph/tuning';
import { parseTunings, type Tunings } from '../run/tunings';

const file = (): string =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'refocus', 'tunings.json');

/** All that earlier runs found; nothing where the file is absent or broken. */
export async function readTunings(): Promise<Tunings> {
  try {
    return parseTunings(JSON.parse(await readFile(file(), 'utf8')));
  } catch {
    return {};
  }
}

/** Adds a tuning to the file. */
export async function rememberTuning(key: string, tuning: Tuning): Promise<void> {
  const tunings = { ...(await readTunings()), [key]: tuning };
  await mkdir(dirname(file()), { recursive: true });
  await writeFile(`${file()}.part`, JSON.stringify(tunings, null, 2));
  await rename(`${file()}.part`, file());
}
