import { UserError } from '../../errors';
import { bytesOf } from '../../io/blob';
import { explainAsync } from '../../io/format-error';
import { openZip } from '../../io/zip';
import type { UserFile } from '../types';
import { gunzippedStart, isTarHeader, listTar } from './tar';
import { type FileTree, fileOf, type SourceFile, toTree } from './tree';

/** What a zip's files may claim together, beside its own size: photographs hardly shrink, and a bomb claims more. */
const MAX_UNPACKED = 2 ** 32;
const MAX_RATIO = 8;
/** How often a file may be read: for a look, for its size, for its pixels, and once more. */
const READS = 4;
/** Names that archives have; a file alone is looked into whatever its name. */
const ARCHIVE_NAME = /\.(zip|tar|t?gz|7z|rar|t?bz2?|t?xz|zst)$/i;
export const isArchiveName = (path: string): boolean => ARCHIVE_NAME.test(path);
const ADVICE = 'make the archive again, as a plain .zip with a folder of images for each class';

/** Lists what one archive packs. `wanted`: the files whose content there is a use for. */
type List = (file: UserFile, wanted: (path: string) => boolean) => Promise<Listed>;

interface Listed {
  files: SourceFile[];
  note?: string;
}

/**
 * Lists the files of folders and of archives: zip and tar(.gz), told by their content. Archives beside others stand for
 * folders of their name. A `UserFile` whose path ends in `/` is an empty folder. Throws a UserError if there is no file,
 * or if an archive is damaged, encrypted, of another kind or unpacks to too much.
 */
export async function listSource(files: UserFile[], wanted: (path: string) => boolean): Promise<FileTree> {
  if (files.length === 0) throw new UserError('There are no files; choose a .zip or a folder of images.');
  const entries: SourceFile[] = [];
  const notes: string[] = [];
  for (const file of files) {
    const mayBePacked = files.length === 1 || (!file.path.includes('/') && isArchiveName(file.path));
    const list = mayBePacked ? await packing(file) : undefined;
    if (!list) {
      entries.push(fileOf(file));
      continue;
    }
    const prefix = files.length === 1 ? '' : `${file.path.replace(/(\.tar)?\.[^.]*$/, '')}/`;
    const listed = await list(file, wanted);
    for (const entry of listed.files) entries.push({ ...entry, path: prefix + entry.path });
    if (listed.note) notes.push(listed.note);
  }
  const tree = toTree(files[0].path.split('/')[0], entries, notes);
  if (tree.files.length === 0) {
    throw new UserError(`${tree.name} holds no file; choose one with a folder of images for each class.`);
  }
  return tree;
}

/** How to list what the file packs; undefined where it is no archive. Throws a UserError for kinds that are not read. */
async function packing({ path, blob }: UserFile): Promise<List | undefined> {
  const start = await bytesOf(blob, 0, 512);
  const has = (...bytes: number[]) => bytes.every((byte, i) => start[i] === byte);
  // "PK", then a local header (3) or the end record of an empty archive (5)
  if (has(0x50, 0x4b, 3) || has(0x50, 0x4b, 5)) return listZip;
  if (isTarHeader(start)) return listTarOf(false);
  if (has(0x1f, 0x8b) && isTarHeader(await gunzippedStart(blob))) return listTarOf(true);
  const other = OTHERS.find(([, ...bytes]) => has(...bytes));
  if (other) throw new UserError(`${path} is packed by ${other[0]}, which is not read; ${ADVICE}.`);
  return undefined;
}

const listTarOf =
  (isGzip: boolean): List =>
  async (file, wanted) => ({ files: await listTar(file, isGzip, wanted) });

const OTHERS: [name: string, ...start: number[]][] = [
  ['7-Zip', 0x37, 0x7a, 0xbc, 0xaf],
  ['RAR', 0x52, 0x61, 0x72, 0x21],
  ['bzip2', 0x42, 0x5a, 0x68],
  ['xz', 0xfd, 0x37, 0x7a, 0x58, 0x5a],
  ['Zstandard', 0x28, 0xb5, 0x2f, 0xfd],
];

const listZip: List = async ({ path: name, blob }) => {
  const most = Math.max(MAX_UNPACKED, MAX_RATIO * blob.size);
  const zip = await explainAsync(name, ADVICE, () => openZip(blob, READS * most));
  const claimed = zip.names.reduce((sum, entry) => sum + zip.size(entry), 0);
  if (claimed > most) {
    throw new UserError(
      `${name} unpacks to ${Math.ceil(claimed / 2 ** 30)} GiB, above the limit of 4 GiB and ${MAX_RATIO} times its own size; choose the unpacked folder instead.`,
    );
  }
  const files = zip.names.map((entry) => ({
    path: entry,
    size: zip.size(entry),
    read: () => zip.read(entry),
  }));
  return { files, note: codePageNote(name, zip.codePage) };
};

/** A guess is told, so that a wrong one is seen. */
const codePageNote = (name: string, codePage = 'UTF-8') =>
  codePage === 'UTF-8'
    ? undefined
    : `${name} does not say how its file names are written: they are read as ${codePage}. Where they look wrong, choose the unpacked folder.`;
