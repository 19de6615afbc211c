import type { UserFile } from '../types';

/** A file of a folder or of an archive; its bytes are read when asked for. */
export interface SourceFile {
  /** cleaned path: `/` between names, no `.`, `..` or empty names, no control characters */
  path: string;
  /** bytes; an archive's claim, which `read` holds it to */
  size: number;
  /** Throws a FormatError if an archive's entry is damaged. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** The files of a source, in the order of ImageFolder (by folder, then by name), and its folders (some perhaps empty). */
export interface FileTree {
  /** what messages call the source: the archive's name or the folder's */
  name: string;
  files: SourceFile[];
  folders: string[];
  /** how many files were passed over as the operating system's or an editor's own */
  junk: number;
  /** what is to be told of how it was read */
  notes: string[];
}

/** What systems and tools leave behind, as a file or a folder; hidden files too. */
const JUNK =
  /^(\..*|__MACOSX|Thumbs\.db|ehthumbs\.db|desktop\.ini|@eaDir|\$RECYCLE\.BIN|System Volume Information)$/i;
/** No image set nests so deep; paths that do are left out. */
const MAX_DEPTH = 64;

/** Orders paths and cleans them; an entry whose path ends in `/` is a folder. */
export function toTree(name: string, entries: SourceFile[], notes: string[] = []): FileTree {
  const files: SourceFile[] = [];
  const folders = new Set<string>();
  let junk = 0;
  for (const entry of entries) {
    const isFolder = /[/\\]$/.test(entry.path);
    const path = cleanPath(entry.path);
    if (path === '') continue;
    if (isJunk(path)) {
      if (!isFolder) junk++;
      continue;
    }
    if (isFolder) folders.add(path);
    else files.push({ ...entry, path });
    for (let folder = isFolder ? path : parentOf(path); folder !== '' && !folders.has(folder); ) {
      folders.add(folder);
      folder = parentOf(folder);
    }
  }
  files.sort(
    (a, b) =>
      byCodePoint(parentOf(a.path), parentOf(b.path)) || byCodePoint(baseName(a.path), baseName(b.path)),
  );
  return { name, files, folders: [...folders].sort(byCodePoint), junk, notes };
}

export function fileOf({ path, blob }: UserFile): SourceFile {
  return { path, size: blob.size, read: async () => new Uint8Array(await blob.arrayBuffer()) };
}

/** Paths are only ever shown and compared, never opened; this keeps odd ones from posing as others. */
function cleanPath(path: string): string {
  const names = path.split(/[/\\]/).filter((name) => name !== '' && name !== '.' && name !== '..');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return names.join('/').replace(/[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '?');
}

function isJunk(path: string): boolean {
  const names = path.split('/');
  return names.length > MAX_DEPTH || names.some((name) => JUNK.test(name));
}

/** The path of the folder that holds `path`; empty at the top. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Python's order of strings; JavaScript's own differs beyond the first 65,536 characters. */
export function byCodePoint(a: string, b: string): number {
  if (a === b) return 0;
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  // a difference within a pair of surrogates belongs to the character that begins before it
  if (i > 0 && isLowSurrogate(a.charCodeAt(i)) && isLowSurrogate(b.charCodeAt(i))) i--;
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1);
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
