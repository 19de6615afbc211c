/** A set that was saved, or any archive with a folder a class, opened for editing. */
import type { UserFile } from '../../api';
import { listSource } from '../../data/files/archive';
import { isImageName } from '../../data/layout/names';
import { UserError } from '../../errors';
import { bytes, count } from '../format';
import { classNameFault } from './class-name';
import { addClasses } from './own-set';

/** Pictures, and bytes of them, that are edited picture by picture at most. */
const MOST = 5000;
const MOST_BYTES = 2 ** 29;

/**
 * Puts the classes of an archive into the set: into those of the same name, else into new ones.
 * @returns what was put there, and what was left out
 * @throws UserError where the file is no archive with a folder of pictures a class, or is too large for it
 */
export async function openOwnSet(file: UserFile): Promise<string> {
  const { files } = await listSource([file], isImageName);
  const classes = new Map<string, typeof files>();
  let left = 0;
  for (const one of files) {
    const name = one.path.split('/').at(-2);
    if (!isImageName(one.path) || name === undefined || classNameFault(name, [])) left++;
    else if (classes.has(name)) classes.get(name)!.push(one);
    else classes.set(name, [one]);
  }
  const pictures = [...classes.values()].flat();
  const size = pictures.reduce((sum, one) => sum + one.size, 0);
  if (pictures.length === 0)
    throw new UserError(
      `${file.path} has no folder of pictures: choose a set that was saved here, or a zip with a folder a class.`,
    );
  if (pictures.length > MOST || size > MOST_BYTES)
    throw new UserError(
      `${file.path} has ${count(pictures.length)} pictures of ${bytes(size)}; at most ${count(MOST)} of ${bytes(MOST_BYTES)} are edited here. Drop it as images instead.`,
    );
  const opened: { name: string; files: UserFile[] }[] = [];
  for (const [name, found] of classes) {
    const read = found.map(async (one) => ({ path: one.path, blob: new Blob([await one.read()]) }));
    opened.push({ name, files: await Promise.all(read) });
  }
  addClasses(opened);
  const others = left > 0 ? `; ${count(left)} other files are left out` : '';
  return `${file.path}: ${count(pictures.length)} pictures of ${count(classes.size)} ${classes.size === 1 ? 'class' : 'classes'}${others}.`;
}
