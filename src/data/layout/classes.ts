import { UserError } from '../../errors';
import { type FileTree, parentOf, type SourceFile } from '../files/archive';
import type { SkippedFile } from '../types';

/** Images by class, before any is decoded; in order of class, then of path. */
export interface ClassifiedFiles {
  name: string;
  classes: string[];
  files: SourceFile[];
  /** class of each file */
  labels: number[];
  /** images that belong to no class */
  skipped: SkippedFile[];
}

/** Other formats (GIF, TIFF, ...) count as images too, so that their refusal shows. */
const IMAGE_NAME = /\.(jpe?g|jpe|jfif|png|webp|gif|bmp|tiff?|heic|avif|ppm|pgm)$/i;

export function isImageName({ path }: SourceFile): boolean {
  return IMAGE_NAME.test(path);
}

/**
 * The class of an image is the folder that holds it, however deep; classes are in alphabetical order. Images in a folder
 * that has class folders below it belong to no class. Throws a UserError if there is no image, if a class
 * folder has none, if one name stands for two folders, or if there are fewer than two classes.
 */
export function classify(tree: FileTree): ClassifiedFiles {
  const { name } = tree;
  const images = tree.files.filter(isImageName);
  if (images.length === 0) {
    throw new UserError(
      `${name} holds no image; it needs a folder of JPEG, PNG or WebP files for each class.`,
    );
  }
  const holders = new Set(images.map((file) => parentOf(file.path)));
  const above = ancestors(holders);
  const folders = [...holders].filter((folder) => !above.has(folder));
  rejectEmptyClasses(tree, folders);
  const classes = classNames(name, folders);
  const label = new Map(folders.map((folder) => [folder, classes.indexOf(baseName(folder))]));
  const files = images.filter((file) => label.has(parentOf(file.path)));
  const labelOf = (file: SourceFile) => label.get(parentOf(file.path)) ?? 0;
  // a stable sort: the files come sorted by path
  files.sort((a, b) => labelOf(a) - labelOf(b));
  const skipped = images
    .filter((file) => !label.has(parentOf(file.path)))
    .map(({ path }) => ({ path, reason: 'it lies outside the class folders' }));
  return { name, classes, files, labels: files.map(labelOf), skipped };
}

/** All folders that have one of `folders` below them; the top is the empty path. */
function ancestors(folders: Iterable<string>): Set<string> {
  const above = new Set<string>();
  for (const folder of folders) {
    for (let path = folder; path !== '' && !above.has(parentOf(path)); ) {
      path = parentOf(path);
      above.add(path);
    }
  }
  return above;
}

/** A folder without images beside class folders is a class that lacks its images. */
function rejectEmptyClasses(tree: FileTree, folders: string[]): void {
  const known = new Set(folders);
  const parents = new Set(folders.map(parentOf));
  const above = ancestors(tree.folders);
  for (const folder of tree.folders) {
    const isEmptySibling =
      folder !== '' && !known.has(folder) && parents.has(parentOf(folder)) && !above.has(folder);
    if (!isEmptySibling) continue;
    throw new UserError(
      `Class '${baseName(folder)}' of ${tree.name} has no image; put images into that folder or remove it.`,
    );
  }
}

function classNames(source: string, folders: string[]): string[] {
  const byName = new Map<string, string>();
  for (const folder of folders) {
    const other = byName.get(baseName(folder));
    if (other !== undefined) {
      throw new UserError(
        `${source} holds class '${baseName(folder)}' twice, in '${other}' and '${folder}'; give training and test images as two separate sources.`,
      );
    }
    byName.set(baseName(folder), folder);
  }
  const classes = [...byName.keys()].sort();
  if (classes.length < 2) {
    throw new UserError(
      `${source} has one class only ('${classes[0] || 'no folder'}'); sort the images into a folder for each class, at least two.`,
    );
  }
  return classes;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
