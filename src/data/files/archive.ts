import { UserError } from '../../errors';
import { explainAsync } from '../../io/format-error';
import { openZip } from '../../io/zip';
import type { UserFile } from '../types';

/** A file of a folder or of a zip archive; its bytes are read when asked for. */
export interface SourceFile {
  /** cleaned path: `/` between names, no `.`, `..` or empty names, no control characters */
  path: string;
  /** bytes; an archive's claim, which `read` holds it to */
  size: number;
  /** Throws a FormatError if an archive's entry is damaged. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** The visible files of a source, sorted by path, and its folders (some perhaps empty). */
export interface FileTree {
  /** what messages call the source: the archive's name or the folder's */
  name: string;
  files: SourceFile[];
  folders: string[];
}

/** An archive is held in memory as it is. */
const MAX_ARCHIVE = 2 ** 31;
/** What an archive's files may claim together; a bomb claims more. */
const MAX_UNPACKED = 2 ** 32;
const SYSTEM_NAME = /^(\..*|__MACOSX|Thumbs\.db|desktop\.ini)$/i;
/** No image set nests so deep; paths that do are left out. */
const MAX_DEPTH = 64;

/**
 * Lists a zip archive, or files as they are. Hidden files and the operating systems' own (`__MACOSX`, `Thumbs.db`,
 * `desktop.ini`) are left out. A `UserFile` whose path ends in `/` is an empty folder. Throws a UserError if there is
 * no file, or if an archive is damaged, encrypted or unpacks to too much.
 */
export async function listSource(files: UserFile[]): Promise<FileTree> {
  if (files.length === 0) throw new UserError('There are no files; choose a .zip or a folder of images.');
  const tree =
    files.length === 1 && (await isZip(files[0].blob)) ? await listZip(files[0]) : listFolder(files);
  if (tree.files.length === 0) {
    throw new UserError(`${tree.name} holds no file; choose one with a folder of images for each class.`);
  }
  return tree;
}

async function isZip(blob: Blob): Promise<boolean> {
  const start = new Uint8Array(await blob.slice(0, 4).arrayBuffer());
  // "PK", then a local header (3, 4) or the end record of an empty archive (5, 6)
  return start[0] === 0x50 && start[1] === 0x4b && (start[2] === 3 || start[2] === 5);
}

async function listZip({ path: name, blob }: UserFile): Promise<FileTree> {
  if (blob.size > MAX_ARCHIVE) {
    throw new UserError(
      `${name} is larger than the limit of 2 GiB for an archive; unpack it and choose the folder.`,
    );
  }
  const advice = 'make the archive again, as a plain .zip with a folder of images for each class';
  const zip = await explainAsync(name, advice, () => openZip(blob, MAX_UNPACKED));
  const claimed = zip.names.reduce((sum, entry) => sum + zip.size(entry), 0);
  if (claimed > MAX_UNPACKED) {
    throw new UserError(
      `${name} unpacks to more than the limit of 4 GiB; choose the unpacked folder instead.`,
    );
  }
  const entries = zip.names.map((entry) => ({
    path: entry,
    size: zip.size(entry),
    read: () => zip.read(entry),
  }));
  return toTree(name, entries);
}

function listFolder(files: UserFile[]): FileTree {
  const read = (blob: Blob) => async () => new Uint8Array(await blob.arrayBuffer());
  const entries = files.map(({ path, blob }) => ({ path, size: blob.size, read: read(blob) }));
  return toTree(files[0].path.split('/')[0], entries);
}

function toTree(name: string, entries: SourceFile[]): FileTree {
  const files: SourceFile[] = [];
  const folders = new Set<string>();
  for (const entry of entries) {
    const isFolder = /[/\\]$/.test(entry.path);
    const path = cleanPath(entry.path);
    if (path === '' || isHidden(path)) continue;
    if (isFolder) folders.add(path);
    else {
      files.push({ ...entry, path });
      folders.add(parentOf(path));
    }
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { name, files, folders: [...folders].sort() };
}

/** Paths are only ever shown and compared, never opened; this keeps odd ones from posing as others. */
function cleanPath(path: string): string {
  const names = path.split(/[/\\]/).filter((name) => name !== '' && name !== '.' && name !== '..');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return names.join('/').replace(/[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '?');
}

function isHidden(path: string): boolean {
  const names = path.split('/');
  return names.length > MAX_DEPTH || names.some((name) => SYSTEM_NAME.test(name));
}

/** The path of the folder that holds `path`; empty at the top. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
