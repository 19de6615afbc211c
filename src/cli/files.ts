/** The user's files as lazily read blobs. */
import { openAsBlob } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import type { UserFile } from '../api';
import { UserError } from '../errors';

/** One file; its path is its name alone. */
export async function readUserFile(path: string): Promise<UserFile> {
  if ((await kindOf(path)) === 'folder') throw new UserError(`${path} is a folder; name a file.`);
  return { path: basename(path), blob: await openBlob(path) };
}

/** Node's blobs count their bytes in 32 bits. */
async function openBlob(path: string): Promise<Blob> {
  const { size } = await stat(path);
  if (size < 2 ** 32) return openAsBlob(path);
  throw new UserError(
    `${path} is ${(size / 2 ** 30).toFixed(1)} GiB large, and files from 4 GiB on are not read; of a checkpoint, save the weights alone (torch.save(model.state_dict(), path)), and of an archive, choose the unpacked folder.`,
  );
}

/**
 * Files and whole folders. Paths begin with the folder's name and use `/`, as a browser's folder picker has them:
 * `train/cat/1.jpg`. Sorted, so that a run does not depend on the file system's order.
 */
export async function readUserFiles(paths: string[]): Promise<UserFile[]> {
  const files: UserFile[] = [];
  for (const path of paths) {
    if ((await kindOf(path)) === 'file') files.push(await readUserFile(path));
    else files.push(...(await readFolder(path)));
  }
  return files;
}

async function readFolder(path: string): Promise<UserFile[]> {
  const root = resolve(path);
  const files: UserFile[] = [];
  for (const file of await listFiles(root)) {
    files.push({
      path: [basename(root), ...relative(root, file).split(sep)].join('/'),
      blob: await openBlob(file),
    });
  }
  // a class without images is there to be named: archives list their empty folders too
  for (const folder of await listEmptyFolders(root)) {
    files.push({
      path: `${[basename(root), ...relative(root, folder).split(sep)].join('/')}/`,
      blob: new Blob(),
    });
  }
  return files;
}

async function listEmptyFolders(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const parents = new Set(entries.map((entry) => entry.parentPath));
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  return folders.filter((folder) => !parents.has(folder)).sort();
}

/** All files below a folder, absolute, sorted; links to files count, links to folders are not followed. */
export async function listFiles(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() || (entry.isSymbolicLink() && (await kindOf(path)) === 'file')) files.push(path);
  }
  return files.sort();
}

/** @throws UserError where there is neither a file nor a folder, or it may not be read */
export async function kindOf(path: string): Promise<'file' | 'folder'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new UserError(
      code === 'ENOENT'
        ? `${path} does not exist; check the path.`
        : `${path} cannot be read (${code}); check its permissions.`,
    );
  }
}
