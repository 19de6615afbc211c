/** Runs out of their folders and bundles. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../errors';
import type { NamedRun } from '../report/arms';
import { openBundle } from '../run/bundle';
import { RUN_FILES, readRun } from '../run/run-files';
import { kindOf, readUserFile } from './files';

/**
 * Reads the run of a folder, or of a bundle, a zip archive of one.
 * @throws UserError where there is none
 */
export async function readKeptRun(path: string): Promise<NamedRun> {
  if ((await kindOf(path)) === 'file') {
    const { open } = await openBundle(await readUserFile(path));
    return { name: basename(path).replace(/\.zip$/i, ''), ...(await named(path, () => readRun(open))) };
  }
  if (!existsSync(join(path, RUN_FILES.report)) && !existsSync(join(path, RUN_FILES.metrics)))
    throw new UserError(
      `${path} holds no run (no ${RUN_FILES.report}): name the folder of one, or its bundle.`,
    );
  const open = async (name: string) => {
    const file = join(path, name);
    return existsSync(file) ? (await readUserFile(file)).blob : undefined;
  };
  return { name: basename(resolve(path)), ...(await named(path, () => readRun(open))) };
}

/** A mistake in a run's file names the run too. */
async function named<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${path}: ${error.message}`);
    throw error;
  }
}
