import { baseName, type FileTree, parentOf, type SourceFile } from '../files/tree';
import { isImageName } from './names';

/** A folder of a source with the images that it holds. */
export interface Folder {
  path: string;
  name: string;
  folders: Folder[];
  /** images that lie in it directly */
  images: SourceFile[];
  /** how many images lie in it or below */
  count: number;
}

/** The source's top folder, with all below it. */
export function foldersOf(tree: FileTree): Folder {
  const top: Folder = { path: '', name: tree.name, folders: [], images: [], count: 0 };
  const byPath = new Map([['', top]]);
  // sorted, so that a folder comes before what is in it
  for (const path of tree.folders) {
    const folder: Folder = { path, name: baseName(path), folders: [], images: [], count: 0 };
    byPath.set(path, folder);
    byPath.get(parentOf(path))?.folders.push(folder);
  }
  for (const file of tree.files) {
    if (!isImageName(file.path)) continue;
    byPath.get(parentOf(file.path))?.images.push(file);
    for (let path = parentOf(file.path); ; path = parentOf(path)) {
      const folder = byPath.get(path);
      if (folder) folder.count++;
      if (path === '') break;
    }
  }
  return top;
}

/** The folders in it that have images in them or below. */
export function filled(folder: Folder): Folder[] {
  return folder.folders.filter(({ count }) => count > 0);
}

/** All images in it and below, folder by folder. */
export function imagesBelow(folder: Folder): SourceFile[] {
  const images: SourceFile[] = [];
  const pending = [folder];
  for (let next = pending.pop(); next; next = pending.pop()) {
    images.push(...next.images);
    pending.push(...next.folders.toReversed());
  }
  return images;
}

/**
 * Goes down while there is but one folder to go to: archives wrap their set in folders of any depth. Stops above images,
 * and above a folder that `stops` names.
 */
export function unwrap(folder: Folder, stops: (folder: Folder) => boolean): Folder {
  let at = folder;
  for (;;) {
    const [only, ...others] = filled(at);
    if (!only || others.length > 0 || at.images.length > 0 || stops(at) || filled(only).length === 0)
      return at;
    at = only;
  }
}
