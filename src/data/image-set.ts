import { UserError } from '../errors';
import { type Candidates, fileCandidates, rawCandidates } from './candidates';
import {
  type Choice,
  chooseParts,
  classesOf,
  requireKnownClasses,
  type Selection,
  selectImages,
} from './choose';
import { listSource } from './files/archive';
import type { FileTree } from './files/tree';
import type { Size } from './images/format';
import { aroundCrop } from './images/resize';
import { readLayout } from './layout/layout';
import { isLabelName, isWanted } from './layout/names';
import type { ChosenSize, Packed } from './pack';
import { closeImages, imageBytes } from './pixels';
import { rawParts } from './raw/raw-sets';
import { namesOf, renameClasses } from './rename';
import { type ImageSetReport, reportOf } from './report';
import { holdOut, type LoadedPart } from './split';
import { MEMORY_BYTES } from './store/sink';
import type { LoadOptions, SkippedFile, UserFile } from './types';

const MAX_SIDE = 1024;
const DEFAULT_VAL = 0.2;

/** What a source gives: training images, test images or both, as was asked, and what is to be said about them. */
export interface ImageSet {
  train?: LoadedPart;
  test?: LoadedPart;
  /** whether all images are of one size and have stayed so */
  own?: boolean;
  /** training images that there are, before any limit */
  available?: number;
  report: ImageSetReport;
}

/**
 * Loads a labelled image set out of zip or tar archives or folders, with a folder for each class or a label file, in parts
 * (train, val, test) or in one; out of CIFAR's binary batches; or out of a pair of IDX files. Images are ordered by class
 * and path (or as in their file), so shuffle before you train. What tests is the val part in training, else the test part,
 * else a fraction of each class that is held out; and the test part where nothing is trained, else the val part. Nothing in
 * the files is trusted. Throws a UserError.
 */
export async function loadImageSet(files: UserFile[], given: LoadOptions = {}): Promise<ImageSet> {
  const { signal, onProgress, interpolation, cropMode, uncropped, memoryBytes = MEMORY_BYTES } = given;
  const opened = await openImageSet(files, given);
  const { source, choice, classes, selected } = opened;
  const upright = given.exif === 'apply';
  const size = await sizeFor(selected.train ?? selected.test, given.size, { upright, signal });
  const cropPct = size.own ? 1 : given.cropPct;
  const { whole, crop } = aroundCrop(size, { cropPct });
  // the middle square of what the resizing leaves, or of that the middle
  const { width, height } = size;
  const stored = uncropped ? { size: whole, inner: { width, height } } : { size, cropPct };
  const images = (selected.train?.chosen.length ?? 0) + (selected.test?.chosen.length ?? 0);
  const inFile = images * imageBytes(stored.size) > memoryBytes;
  const options = { ...stored, upright, inFile, interpolation, cropMode, signal, onProgress };
  const packs: Packed[] = [];
  const load = async (part: Selection | undefined): Promise<LoadedPart | undefined> => {
    if (!part) return undefined;
    const packed = await part.candidates.pack(part.chosen, part.labels, options);
    packs.push(packed);
    if (packed.count === 0) throw nothingReadable(source.name, packed.skipped);
    if (part === selected.train) requireEveryClass(source.name, part, packed, classes);
    const { pixels, labels, paths, count, digests } = packed;
    const images = { pixels, labels, paths, count, ...stored.size, classes };
    return { images: uncropped ? { ...images, crop } : images, digests };
  };
  try {
    let train = await load(selected.train);
    let test = await load(selected.test);
    if (choice.holdsOut && train)
      [train, test] = holdOut(source.name, train, {
        val: given.val ?? DEFAULT_VAL,
        seed: given.seed ?? 0,
      });
    return {
      train,
      test,
      own: size.own,
      available: selected.train?.available,
      report: reportOf({ ...opened, packs, size, upright, options: { ...given, cropPct }, train, test }),
    };
  } catch (error) {
    await closeImages(...packs);
    throw error;
  }
}

/** A source before any of its images is decoded. */
export interface OpenedImages {
  tree: FileTree;
  source: ImageSource;
  choice: Choice;
  classes: string[];
  /** the classes' names in the source, before any is renamed */
  originals: string[];
  /** the images that are taken of each part */
  selected: { train?: Selection; test?: Selection };
}

/** Finds out what a source of images holds: `loadImageSet` without decoding. Throws a UserError. */
export async function openImageSet(files: UserFile[], options: LoadOptions): Promise<OpenedImages> {
  checkOptions(options);
  const { use = 'both', classOrder = 'name' } = options;
  const tree = await listSource(files, isWanted);
  const { originals, ...source } = await readSource(tree, files, options);
  const choice = chooseParts(source.name, source.parts, use);
  const classes = classesOf(source.name, source.parts, choice, options.classes, classOrder);
  const selected = {
    train: choice.train && selectImages(choice.train, classes, options),
    test: choice.test && selectImages(choice.test, classes, options),
  };
  if (selected.train && selected.test) requireKnownClasses(source.name, selected.test, classes);
  return { tree, source, choice, classes, originals, selected };
}

function checkOptions({ size = 0, limit = 0, val = DEFAULT_VAL }: LoadOptions): void {
  if (typeof size === 'number' && (!Number.isInteger(size) || size < 0 || size > MAX_SIDE)) {
    throw new UserError(
      `The image size ${size} is not possible; use 1 to ${MAX_SIDE} pixels, or 0 for the images' own.`,
    );
  }
  if (!Number.isInteger(limit) || limit < 0) {
    throw new UserError(`The limit ${limit} is not possible; use a whole number of images, or 0 for all.`);
  }
  if (!(val > 0 && val < 1)) {
    throw new UserError(`The fraction ${val} of test images is not possible; use a number between 0 and 1.`);
  }
}

/** A source that was understood. */
export interface ImageSource {
  name: string;
  parts: Candidates[];
  skipped: SkippedFile[];
  notes: string[];
}

async function readSource(
  tree: FileTree,
  files: UserFile[],
  options: LoadOptions,
): Promise<ImageSource & { originals: string[] }> {
  const { classes, rename = {} } = options;
  const { name, parts, skipped, notes } =
    (await readRaw(tree, options)) ?? (await readFolders(tree, files, options));
  const renamed = renameClasses(name, parts, rename, classes === undefined);
  const originals = namesOf(parts);
  return { name, parts: renamed.parts, originals, skipped, notes: [...notes, ...renamed.notes] };
}

async function readRaw(tree: FileTree, { use = 'both' }: LoadOptions): Promise<ImageSource | undefined> {
  const raw = rawParts(tree);
  if (!raw) return undefined;
  // reading is loading here, so what is not asked for is not read
  const wanted = raw.length === 1 || use === 'both' ? raw : raw.filter(({ part }) => part === use);
  const parts: Candidates[] = [];
  for (const { part, read } of wanted) parts.push(rawCandidates(part, await read()));
  return { name: tree.name, parts, skipped: [], notes: tree.notes };
}

async function readFolders(
  tree: FileTree,
  files: UserFile[],
  { classes, rename = {} }: LoadOptions,
): Promise<ImageSource> {
  // a label file that the user gave beside the images, not one that lies among them
  const hasOwnLabels = files.length > 1 && files.some(({ path }) => !path.includes('/') && isLabelName(path));
  const known = classes && [...classes, ...Object.keys(rename)];
  const layout = await readLayout(tree, { known, hasOwnLabels });
  const notes = [...tree.notes, ...layout.notes];
  return { ...layout, notes, parts: layout.parts.map((part) => fileCandidates(layout.name, part)) };
}

/** `why` is there where the size was nobody's choice. */
async function sizeFor(
  leading: Selection | undefined,
  asked: LoadOptions['size'],
  options: { upright: boolean; signal?: AbortSignal },
): Promise<Size & Partial<Pick<ChosenSize, 'why' | 'own'>>> {
  if (typeof asked === 'object') return asked;
  if (asked) return { width: asked, height: asked };
  if (!leading) throw new Error('no part was chosen');
  return leading.candidates.size(leading.chosen, options);
}

function nothingReadable(source: string, skipped: SkippedFile[]): UserError {
  return new UserError(
    `None of the images of ${source} can be read${exampleOf(skipped)}; use JPEG, PNG or WebP files.`,
  );
}

/** A class all of whose images were skipped would be trained to be nothing. */
function requireEveryClass(source: string, { labels }: Selection, packed: Packed, classes: string[]): void {
  const present = new Set(packed.labels);
  const missing = labels.find((label) => !present.has(label));
  if (missing === undefined) return;
  throw new UserError(
    `Class '${classes[missing]}' of ${source} has no image that can be read${exampleOf(packed.skipped)}; replace its images or raise the limit.`,
  );
}

function exampleOf([first]: SkippedFile[]): string {
  return first ? ` (${first.path}: ${first.reason})` : '';
}
