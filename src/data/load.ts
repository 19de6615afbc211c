import { UserError } from '../errors';
import { FormatError } from '../io/format-error';
import { type FileTree, listSource, type SourceFile } from './files/archive';
import { classify, isImageName } from './layout/classes';
import { packFolder } from './layout/folder';
import { CIFAR_RECORD, readCifar } from './raw/cifar';
import { gunzip, idxKind, readIdx } from './raw/idx';
import { packRaw } from './raw/raster';
import type { LabelledImages, LoadOptions, UserFile } from './types';

const MAX_SIDE = 1024;

/**
 * Loads a labelled image set: a .zip or a folder with a folder of images for each class, CIFAR-10's binary batches, or
 * a pair of IDX files (plain or .gz), recognised by content and name. Images are ordered by class and path (or as in
 * their file), so shuffle before you train. Nothing in the files is trusted. Throws a UserError.
 */
export async function loadImages(files: UserFile[], options: LoadOptions = {}): Promise<LabelledImages> {
  checkOptions(options);
  const tree = await listSource(files);
  const images = await loadTree(tree, options);
  return options.classes ? withClasses(images, options.classes, tree.name) : images;
}

async function loadTree(tree: FileTree, options: LoadOptions): Promise<LabelledImages> {
  const batches = tree.files.filter((file) => /\.bin$/i.test(file.path));
  const idx = tree.files.filter((file) => /(idx[13]-ubyte|\.idx[13]?)(\.gz)?$/i.test(file.path));
  if (tree.files.some(isImageName) || batches.length + idx.length === 0) {
    const set = classify(tree);
    if (options.classes) requireSame(set.classes, options.classes, tree.name);
    return packFolder(set, options);
  }
  if (idx.length > 0) return loadIdx(tree.name, pick(idx, options), options);
  return loadCifar(pick(batches, options), options);
}

function checkOptions({ size = 0, limit = 0 }: LoadOptions): void {
  if (!Number.isInteger(size) || size < 0 || size > MAX_SIDE) {
    throw new UserError(
      `The image size ${size} is not possible; use 1 to ${MAX_SIDE} pixels, or 0 for the images' own.`,
    );
  }
  if (!Number.isInteger(limit) || limit < 0) {
    throw new UserError(`The limit ${limit} is not possible; use a whole number of images, or 0 for all.`);
  }
}

/** Of official downloads, which hold training and test files side by side, the wanted ones. */
function pick(files: SourceFile[], { split = 'train' }: LoadOptions): SourceFile[] {
  const isTest = (file: SourceFile) => /(t10k|test)[^/]*$/i.test(file.path);
  const chosen = files.filter((file) => isTest(file) === (split === 'test'));
  return chosen.length > 0 ? chosen : files;
}

/** The bytes of a file that the set cannot do without. */
async function readWhole(file: SourceFile): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await file.read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UserError(`${file.path} cannot be read out of its archive (${error.message}); make it again.`);
  }
}

async function loadCifar(files: SourceFile[], options: LoadOptions): Promise<LabelledImages> {
  const batches = [];
  for (const file of files) {
    if (file.size > 20_000 * CIFAR_RECORD) {
      throw new UserError(
        `${file.path} is larger than a CIFAR-10 binary batch; choose data_batch_1.bin and the like.`,
      );
    }
    batches.push({ path: file.path, bytes: await readWhole(file) });
  }
  return packRaw(readCifar(batches), options);
}

async function loadIdx(name: string, files: SourceFile[], options: LoadOptions): Promise<LabelledImages> {
  const pair: Partial<Record<'images' | 'labels', { path: string; bytes: Uint8Array }>> = {};
  for (const file of files) {
    if (file.size > 2 ** 30)
      throw new UserError(`${file.path} is above the limit of 1 GiB; choose another file.`);
    const bytes = gunzip(file.path, await readWhole(file));
    const kind = idxKind(bytes);
    if (!kind) throw new UserError(`${file.path} is not an IDX file of bytes; download it again.`);
    if (pair[kind]) {
      throw new UserError(
        `${file.path} is a second IDX file of ${kind}; choose one pair of images and labels.`,
      );
    }
    pair[kind] = { path: file.path, bytes };
  }
  if (!pair.images || !pair.labels) {
    const missing = pair.images ? 'labels (idx1)' : 'images (idx3)';
    throw new UserError(`${name} lacks the IDX file of ${missing}; choose both files of the pair.`);
  }
  return packRaw(readIdx(pair.images, pair.labels), options);
}

/** IDX files do not name their classes: a test set may lack the highest ones. */
function withClasses(images: LabelledImages, classes: string[], name: string): LabelledImages {
  const isPrefix = images.classes.every((label, i) => label === classes[i]);
  if (!isPrefix) requireSame(images.classes, classes, name);
  return { ...images, classes };
}

function requireSame(found: string[], wanted: string[], name: string): void {
  const missing = wanted.filter((label) => !found.includes(label));
  const extra = found.filter((label) => !wanted.includes(label));
  if (missing.length === 0 && extra.length === 0) return;
  const parts = [
    missing.length > 0 ? `lacks ${list(missing)}` : '',
    extra.length > 0 ? `has ${list(extra)} besides` : '',
  ].filter((part) => part !== '');
  throw new UserError(
    `${name} does not have the classes of the training images: it ${parts.join(' and ')}; give both the same class folders.`,
  );
}

function list(labels: string[]): string {
  const shown = labels.slice(0, 5).map((label) => `'${label}'`);
  return shown.join(', ') + (labels.length > 5 ? ` and ${labels.length - 5} more` : '');
}
