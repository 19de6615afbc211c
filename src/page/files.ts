/** Files that the user picks or drops, with their folders' paths. */
import type { UserFile } from '../api';
import { count } from './format';

/** What the user calls these files: the names of the first two, or of the folders that they are in. */
export function nameOf(files: readonly Pick<UserFile, 'path'>[]): string {
  const tops = [...new Set(files.map(({ path }) => path.split('/')[0]))];
  const more = tops.length > 2 ? ` and ${count(tops.length - 2)} more` : '';
  return `${tops.slice(0, 2).join(', ')}${more}`;
}

export function pickedFiles(list: FileList | null): UserFile[] {
  return [...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, blob: file }));
}

/** What was dropped, folders walked. Call it in the drop handler: the items are gone later. */
export async function droppedFiles(transfer: DataTransfer): Promise<UserFile[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  // what does not come from a file system, as a picture out of another page, has no entry
  const given = items.map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  return (await Promise.all(given.filter((one) => one !== null).map(walk))).flat();
}

async function walk(entry: FileSystemEntry | File): Promise<UserFile[]> {
  if (entry instanceof File) return [{ path: entry.name, blob: entry }];
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ path: entry.fullPath.replace(/^\//, ''), blob: file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: UserFile[] = [];
  let isEmpty = true;
  // A reader hands out a folder in parts; an empty part is the end.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    // an empty folder is there to be named, as a class without images
    if (part.length === 0)
      return isEmpty ? [{ path: `${entry.fullPath.replace(/^\//, '')}/`, blob: new Blob() }] : files;
    isEmpty = false;
    for (const child of part) for (const file of await walk(child)) files.push(file);
  }
}

/** Hands text or bytes to the browser's downloads. */
export function download(name: string, content: BlobPart, type: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
