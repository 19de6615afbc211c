import type { Selection } from './choose';
import { openImageSet } from './image-set';
import { numericHint } from './layout/class-order';
import { imageBytes, readImages } from './pixels';
import { junkNotes, orderOf, type PartReport } from './report';
import { stratifiedSplit } from './split';
import type { LoadOptions, SkippedFile, UserFile } from './types';

/** RGB bytes of a small square picture, row by row. */
export interface Thumbnail {
  image: string;
  side: number;
  pixels: Uint8Array<ArrayBuffer>;
}

/** What a source of images holds, found without decoding more than a few of them. */
export interface ImageSurvey {
  source: string;
  classes: string[];
  /** the names that the source gives its classes, before any is renamed or left out */
  originals: string[];
  /**
   * images of each part by their names alone: those that cannot be decoded, and which of equal ones are held out, shows when
   * they are loaded
   */
  parts: PartReport[];
  /** files that are left out, as far as names and headers tell */
  skipped: SkippedFile[];
  /** some of each class, in the order of the classes */
  thumbnails: Thumbnail[][];
  notes: string[];
}

/** Headers lie in files that are read whole, bytes together; those of more are read when the images are. */
const MOST_BYTES = 2 ** 29;
const SIDE = 48;
/** A class shows so many images, and so many all classes together: each is decoded. */
const OF_A_CLASS = 4;
const OF_ALL = 64;

/**
 * Looks into a source before it is loaded: classes, counts, and some images of each class.
 * @throws UserError as `loadImageSet` would, as far as names tell
 */
export async function surveyImages(files: UserFile[], options: LoadOptions): Promise<ImageSurvey> {
  const { tree, source, choice, classes, originals, selected } = await openImageSet(files, options);
  const { order, natural } = orderOf(classes, choice, options);
  const taken = [selected.train, selected.test].filter((part) => part !== undefined);
  const broken = await unreadable(taken, options);
  const isBroken = new Set(broken.map(({ path }) => path));
  const labelsOf = ({ candidates, chosen, labels }: Selection) =>
    labels.filter((_, i) => !isBroken.has(candidates.path(chosen[i])));
  const parts: PartReport[] = [];
  if (selected.train && choice.holdsOut) {
    const labels = labelsOf(selected.train);
    const ownDigests = labels.map((_, i) => String(i));
    const { train, held } = stratifiedSplit(labels, ownDigests, options.val ?? 0.2, options.seed ?? 0);
    const of = (indices: number[]) => indices.map((i) => labels[i]);
    parts.push(partOf('train', choice.train?.part, of(train), classes));
    parts.push(partOf('test', 'held', of(held), classes));
  } else {
    if (selected.train) parts.push(partOf('train', choice.train?.part, labelsOf(selected.train), classes));
    if (selected.test) parts.push(partOf('test', choice.test?.part, labelsOf(selected.test), classes));
  }
  return {
    source: source.name,
    classes,
    originals,
    parts,
    skipped: [...source.skipped, ...taken.flatMap(({ leftOut }) => leftOut), ...broken],
    thumbnails: await thumbnailsByClass((selected.train ?? selected.test)!, classes.length, options),
    notes: [
      ...(options.classes ? [] : [`${classes.length} classes ${order}.`]),
      ...(natural ? [numericHint(classes, natural)] : []),
      ...source.notes,
      ...junkNotes(tree),
    ],
  };
}

async function unreadable(
  parts: readonly Selection[],
  { exif, signal }: LoadOptions,
): Promise<SkippedFile[]> {
  if (parts.reduce((sum, { candidates, chosen }) => sum + candidates.bytes(chosen), 0) > MOST_BYTES)
    return [];
  const found: SkippedFile[] = [];
  for (const { candidates, chosen } of parts) {
    const size = await candidates.size(chosen, { upright: exif === 'apply', signal });
    found.push(...size.unreadable);
  }
  return found;
}

function partOf(
  use: PartReport['use'],
  from: PartReport['from'],
  labels: readonly number[],
  classes: readonly string[],
): PartReport {
  const perClass = classes.map(() => 0);
  for (const label of labels) perClass[label]++;
  return { use, from, images: labels.length, perClass };
}

/** The first images of each class; those that cannot be decoded are passed over. */
async function thumbnailsByClass(
  { candidates, chosen, labels }: Selection,
  classes: number,
  { exif, signal }: LoadOptions,
): Promise<Thumbnail[][]> {
  const each = Math.min(OF_A_CLASS, Math.max(1, Math.floor(OF_ALL / classes)));
  const counts = new Array<number>(classes).fill(0);
  const taken: number[] = [];
  for (const [at, label] of labels.entries()) {
    if (counts[label] >= each || taken.length >= OF_ALL) continue;
    counts[label]++;
    taken.push(at);
  }
  const shown: Thumbnail[][] = counts.map(() => []);
  const size = { width: SIDE, height: SIDE };
  for (const at of taken) {
    const index = chosen[at];
    const { pixels, count } = await candidates.pack([index], [labels[at]], {
      size,
      upright: exif === 'apply',
      signal,
    });
    if (count === 0) continue;
    const small = new Uint8Array(imageBytes(size));
    await readImages({ pixels, ...size }, [0], small);
    shown[labels[at]].push({ image: candidates.path(index), side: SIDE, pixels: small });
  }
  return shown;
}
