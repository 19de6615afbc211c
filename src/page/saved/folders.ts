/** Where runs are in the browser's own file system (OPFS): a folder each. */
const RUNS = 'refocus-runs';

async function runs(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(RUNS, { create: true });
}

/** The folder of a run; made where there is none. */
export const folderOf = async (id: string): Promise<FileSystemDirectoryHandle> =>
  (await runs()).getDirectoryHandle(id, { create: true });

export async function runIds(): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of (await runs()).keys()) ids.push(id);
  return ids;
}

export async function removeRun(id: string): Promise<void> {
  await (await runs()).removeEntry(id, { recursive: true });
}

/** A file of a run; undefined where it is not there. */
export async function fileOf(id: string, name: string): Promise<File | undefined> {
  try {
    return await (await (await folderOf(id)).getFileHandle(name)).getFile();
  } catch {
    return undefined;
  }
}
