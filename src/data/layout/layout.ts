import { UserError } from '../../errors';
import { isArchiveName } from '../files/archive';
import type { FileTree, SourceFile } from '../files/tree';
import { foreignKind } from '../images/foreign';
import type { SkippedFile } from '../types';
import { quoted } from './class-order';
import { type Folder, filled, foldersOf, imagesBelow, unwrap } from './folders';
import { readLabels } from './labels';
import { isLabelName, type Part, partNamed, partWithin } from './names';
import { applySplitFile } from './split-file';
import type { Layout, PartFiles } from './types';

/** Arrays and tables, in which images are numbers or rows (MedMNIST, SVHN, the sets of Hugging Face). */
const PACKED_NAME = /\.(npy|npz|parquet|arrow|h5|hdf5|mat|tfrecords?|mdb|pkl|pt)$/i;
/** Bytes of a file that is read only to say what it is. */
const MOST_LOOKED_AT = 2 ** 24;

export interface LayoutOptions {
  /** classes that there are elsewhere: a folder of that name is a class, even if it is the only one */
  known?: readonly string[];
  /** a label file was given beside the images, and is to be used */
  hasOwnLabels?: boolean;
}

/**
 * The class of an image is the first folder below the root or the part, as torchvision's ImageFolder has it; everything below
 * belongs to that class. Folders that hold but one folder are passed through; folders named train, val, test or the like
 * (whatever the case, at any depth) hold the parts. A split file may tell the parts. Where the folders tell no two classes, label
 * files do. Throws a UserError where there is no image.
 */
export async function readLayout(
  tree: FileTree,
  { known = [], hasOwnLabels = false }: LayoutOptions,
): Promise<Layout> {
  const top = foldersOf(tree);
  if (top.count === 0) throw await noImage(tree);
  const isKnown = (folder: Folder) => filled(folder).some(({ name }) => known.includes(name));
  const root = unwrap(top, (folder) => partsOf(folder) !== undefined || isKnown(folder));
  const parts = partsOf(root);
  const byFolder = classFolders(tree.name, root, parts, isKnown);
  const classes = new Set(byFolder.parts.flatMap(({ labels }) => labels));
  const telling = classes.size >= 2 || [...classes].some((name) => known.includes(name));
  if (telling && !hasOwnLabels) return applySplitFile(tree, byFolder);
  const partOf = new Map(
    [...(parts ?? [])].flatMap(([part, folders]) =>
      folders.flatMap(imagesBelow).map((image) => [image, part]),
    ),
  );
  const byLabels = await readLabels(tree, imagesBelow(top), (image) => partOf.get(image));
  if (!byLabels && hasOwnLabels) {
    throw new UserError(
      `The label file given with ${tree.name} names none of its images; it needs columns filename and label.`,
    );
  }
  const inVain = tree.files.map(({ path }) => path).filter(isLabelName);
  if (!byLabels && known.length === 0 && inVain.length > 0) {
    const count = classes.size === 1 ? 'one class only' : 'no class';
    throw new UserError(
      `${tree.name} has ${count} by its folders, and ${quoted(inVain)} names none of its images, or gives them several classes: a label file needs the columns filename and label.`,
    );
  }
  return byLabels ?? byFolder;
}

/** A source without an image: what it holds instead, where that can be told. */
async function noImage({ name, files }: FileTree): Promise<UserError> {
  const inner = files.map(({ path }) => path).filter((path) => path !== name && isArchiveName(path));
  if (inner.length > 0)
    return new UserError(
      `${name} holds no image but archives (${quoted(inner)}), which are not opened there: choose them themselves, or unpack them.`,
    );
  const packed = files.map(({ path }) => path).filter((path) => PACKED_NAME.test(path));
  if (packed.length > 0)
    return new UserError(
      `${name} holds no image but arrays or tables (${quoted(packed)}), which are not read: save their images as PNG files in Python, in a folder for each class.`,
    );
  const [only] = files;
  const kind = files.length === 1 && only.size < MOST_LOOKED_AT ? foreignKind(await only.read()) : undefined;
  return new UserError(
    `${name} holds no image${kind ? ` (${kind})` : ''}; it needs a folder of images for each class (JPEG, PNG, ...).`,
  );
}

/** The folders that hold the parts; undefined where they are no parts. */
function partsOf(folder: Folder): Map<Part, Folder[]> | undefined {
  const inside = filled(folder);
  const holdsClasses = (each: Folder) => filled(each).length > 0;
  const exact = grouped(inside, partNamed);
  const all = exact.count === inside.length;
  // beside other folders they must hold folders themselves, or the training images two: 'train' may be a class among vehicles
  const trains = exact.parts.get('train')?.every((each) => filled(each).length >= 2);
  if (exact.parts.size >= 2 && (all || trains || exact.members.every(holdsClasses))) return exact.parts;
  if (exact.parts.size === 1 && all && inside.length === 1) return exact.parts;
  const worded = grouped(inside, partWithin);
  const isClear =
    worded.parts.size >= 2 &&
    worded.members.every(holdsClasses) &&
    // images to predict may lie beside them, in no folders of classes
    ((worded.count === inside.length && inside.every(holdsClasses)) || haveSameClasses(worded.members));
  return isClear ? worded.parts : undefined;
}

/** Whether folders have classes, two at least, that all of them share. */
function haveSameClasses(folders: Folder[]): boolean {
  const [first, ...others] = folders.map((folder) =>
    filled(unwrap(folder, () => false)).map(({ name }) => name),
  );
  return first.filter((name) => others.every((names) => names.includes(name))).length >= 2;
}

function grouped(folders: Folder[], partOf: (name: string) => Part | undefined) {
  const parts = new Map<Part, Folder[]>();
  for (const folder of folders) {
    const part = partOf(folder.name);
    if (part) parts.set(part, [...(parts.get(part) ?? []), folder]);
  }
  const members = [...parts.values()].flat();
  return { parts, members, count: members.length };
}

/** The folder among classes that holds folders of the names of all others, two at least: archives have a set twice. */
function copiesAmong(classes: Folder[]): Folder[] {
  return classes.filter((each) => {
    const inside = filled(unwrap(each, () => false)).map(({ name }) => name);
    const others = classes.filter((other) => other !== each);
    return others.length >= 2 && others.every(({ name }) => inside.includes(name));
  });
}

/** What is told where images and their masks lie beside each other, as sets for segmentation have them. */
function maskNotes(classes: Folder[]): string[] {
  const named = (name: RegExp) => classes.find((folder) => name.test(folder.name))?.path;
  const [images, masks] = [
    named(/^(images?|imgs?)$/i),
    named(/^(masks?|segmentations?|annotations?|labels?)$/i),
  ];
  return images && masks
    ? [
        `Folders '${images}' and '${masks}' are taken as two classes, but look like images and their masks: masks are not read, and a folder for each class is needed.`,
      ]
    : [];
}

/** The layout by folders alone. */
function classFolders(
  name: string,
  root: Folder,
  parts: Map<Part, Folder[]> | undefined,
  isKnown: (folder: Folder) => boolean,
): Layout {
  const notes: string[] = [];
  const skipped: SkippedFile[] = [];
  const skip = (images: SourceFile[], reason: string) =>
    skipped.push(...images.map(({ path }) => ({ path, reason })));
  const read = (part: Part | undefined, folders: Folder[]): PartFiles => {
    const roots = folders.map((folder) => unwrap(folder, isKnown));
    for (const each of roots) skip(each.images, 'it lies outside the class folders');
    const all = roots.flatMap(filled);
    const copies = copiesAmong(all);
    for (const copy of copies) skip(imagesBelow(copy), 'its folder holds the classes once more');
    const classes = all.filter((each) => !copies.includes(each));
    const images = classes.map(imagesBelow);
    notes.push(...maskNotes(classes));
    return {
      part,
      files: images.flat(),
      labels: classes.flatMap((folder, i) => images[i].map(() => folder.name)),
      empty: roots.flatMap((each) =>
        each.folders.filter(({ count }) => count === 0).map((folder) => folder.name),
      ),
    };
  };
  if (!parts) {
    const nested = filled(root).filter((each) => grouped(filled(each), partNamed).parts.size >= 2);
    if (nested.length > 0) {
      notes.push(
        `Folders such as train and test below class '${nested[0].name}' are no parts: all their images belong to the class.`,
      );
    }
    const partLike = filled(root).filter((each) => partWithin(each.name) && filled(each).length >= 2);
    if (partLike.length > 0) {
      notes.push(
        `Folders such as '${partLike[0].name}' are taken as classes; where they are parts of the set, name them train, val and test.`,
      );
    }
    return { name, parts: [read(undefined, [root])], skipped, notes };
  }
  const members = [...parts.values()].flat();
  skip(root.images, 'it lies outside the parts (train, val, test)');
  for (const other of filled(root).filter((folder) => !members.includes(folder))) {
    skip(imagesBelow(other), 'it lies outside the parts (train, val, test)');
  }
  const all = [...parts].map(([part, folders]) => read(part, folders));
  // a contest's test images have no class folders, or lie in one of no class: its training images must do
  const trained = new Set(all.find(({ part }) => part === 'train')?.labels);
  const isOneOfNoClass = ([first, ...others]: string[]) =>
    trained.size >= 2 && !trained.has(first) && others.every((label) => label === first);
  const isOfUse = ({ part, files, labels, empty }: PartFiles) =>
    part === 'train' || (files.length > 0 && !isOneOfNoClass(labels)) || empty.length > 0;
  for (const { part, files } of all.filter((each) => !isOfUse(each))) {
    notes.push(`Part ${part} has no folder of images for each class and is not used.`);
    skip(files, 'it lies outside the class folders');
  }
  return { name, parts: all.length > 1 ? all.filter(isOfUse) : all, skipped, notes };
}
