/** The user's files as lazily read blobs. */
import { existsSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { UserFile } from '../api';
import { UserError } from '../errors';
import { shardsOf } from '../io/shards';
import { isAddress } from '../remote/address';
import { FileBlob } from './file-blob';
import { readRemote, type Teller } from './remote';
import { shellWord } from './shell';

/**
 * One file; its path is its name alone. `option`: what named it, for messages. With a `teller` it may be an address: it is fetched,
 * and that is told.
 */
export async function readUserFile(path: string, option?: string, teller?: Teller): Promise<UserFile> {
  if (teller && isAddress(path)) return (await readRemote(path, teller))[0];
  if ((await kindOf(path, option)) === 'folder')
    throw new UserError(`${said(path, option)} is a folder; name a file.`);
  return { path: basename(path), blob: await openBlob(path) };
}

async function openBlob(path: string): Promise<Blob> {
  const { size, mtimeMs } = await stat(path);
  return new FileBlob({ path, size, mtimeMs });
}

/**
 * Files and whole folders, and with a `teller` addresses. Paths begin with the folder's name and use `/`, as a browser's folder picker has them:
 * `train/cat/1.jpg`. Sorted, so that a run does not depend on the file system's order.
 */
export async function readUserFiles(paths: string[], option?: string, teller?: Teller): Promise<UserFile[]> {
  const files: UserFile[] = [];
  for (const path of paths) {
    if (teller && isAddress(path)) files.push(...(await readRemote(path, teller)));
    else if ((await kindOf(path, option)) === 'file') files.push(await readUserFile(path));
    else files.push(...(await readFolder(path, basename(resolve(path)), [])));
  }
  return files;
}

/** Files that an ONNX model keeps its tensors in. */
async function dataOf(file: UserFile): Promise<string[]> {
  const { externalFiles } = await import('../io/onnx/open');
  return externalFiles(file);
}

/**
 * Weights: one file, a folder, the shards that lie beside their index or beside one of them, or an ONNX model with the files of
 * its data; with a `teller` an address of such.
 */
export async function readWeightFiles(path: string, option?: string, teller?: Teller): Promise<UserFile[]> {
  if (teller && isAddress(path)) return readRemote(path, teller);
  if ((await kindOf(path, option)) === 'folder') return readUserFiles([path]);
  const file = await readUserFile(path);
  const names = /\.onnx$/i.test(path) ? await dataOf(file) : await shardsOf(file);
  const beside = names
    .map((name) => join(dirname(path), name))
    .filter((shard) => shard !== join(path) && existsSync(shard));
  return [file, ...(await readUserFiles(beside))];
}

/**
 * All files below a folder, whose path is `name`. Links to folders are followed, as torchvision's ImageFolder does;
 * `holders`: the real paths of the folders that this one lies in. An empty folder is a path with `/` at its end, so that a
 * class without images is there to be named: archives list theirs too.
 * @throws UserError where a link leads to a folder that holds it
 */
async function readFolder(folder: string, name: string, holders: string[]): Promise<UserFile[]> {
  const real = await realpath(folder);
  if (holders.includes(real)) {
    throw new UserError(
      `${folder} is a link to a folder that it lies in, which has no end; remove the link.`,
    );
  }
  const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (entries.length === 0) return [{ path: `${name}/`, blob: new Blob() }];
  // Node shows bytes that are no UTF-8 by a mark, under which there is no file
  const lost = entries.find(
    (entry) => entry.name.includes('\ufffd') && !existsSync(join(folder, entry.name)),
  );
  if (lost) {
    throw new UserError(
      `${join(folder, lost.name)} has a name that is not UTF-8, as unzip leaves some of Windows; name the archive itself, or rename such files (convmv -r -f cp437 -t utf8 --notest ${shellWord(folder)}).`,
    );
  }
  const files: UserFile[] = [];
  for (const entry of entries) {
    const [file, path] = [join(folder, entry.name), `${name}/${entry.name}`];
    const kind = entry.isSymbolicLink() ? await kindOfTarget(file) : entry.isDirectory() ? 'folder' : 'file';
    if (kind === 'folder') files.push(...(await readFolder(file, path, [...holders, real])));
    // a link to nothing is an empty file, to be listed among the skipped
    else if (kind === 'nothing') files.push({ path, blob: new Blob() });
    else if (entry.isFile() || entry.isSymbolicLink()) files.push({ path, blob: await openBlob(file) });
  }
  return files;
}

async function kindOfTarget(link: string): Promise<'file' | 'folder' | 'nothing'> {
  const target = await stat(link).catch(() => undefined);
  if (!target) return 'nothing';
  return target.isDirectory() ? 'folder' : target.isFile() ? 'file' : 'nothing';
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

/** A path as messages call it: `--data photos.zip`. */
export const said = (path: string, option?: string): string => (option ? `${option} ${path}` : path);

/**
 * @param option what named the path, for messages
 * @throws UserError where there is neither a file nor a folder, or it may not be read
 */
export async function kindOf(path: string, option?: string): Promise<'file' | 'folder'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new UserError(
      code === 'ENOENT'
        ? `${said(path, option)} does not exist; check the path.`
        : `${said(path, option)} cannot be read (${code}); check its permissions.`,
    );
  }
}
