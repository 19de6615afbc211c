/** Where runs are in the browser's own file system (OPFS): a folder each, and one for each set of inputs. */
const RUNS = 'refocus-runs';

async function runs(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(RUNS, { create: true });
}

/** The folder of a run or of inputs; made where there is none. */
export const folderOf = async (id: string): Promise<FileSystemDirectoryHandle> =>
  (await runs()).getDirectoryHandle(id, { create: true });

/** All folders by name. */
export async function folderIds(): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of (await runs()).keys()) ids.push(id);
  return ids;
}

export async function removeFolder(id: string): Promise<void> {
  await (await runs()).removeEntry(id, { recursive: true }).catch(() => {});
}

/** A file of a folder; undefined where it is not there. */
export async function fileOf(id: string, name: string): Promise<File | undefined> {
  try {
    const folder = await (await runs()).getDirectoryHandle(id);
    return await (await folder.getFileHandle(name)).getFile();
  } catch {
    return undefined;
  }
}

/** The files of a folder, in no order. */
export async function filesOf(id: string): Promise<File[]> {
  try {
    const folder = await (await runs()).getDirectoryHandle(id);
    const files: File[] = [];
    for await (const handle of folder.values())
      if (handle.kind === 'file') files.push(await (handle as FileSystemFileHandle).getFile());
    return files;
  } catch {
    return [];
  }
}
