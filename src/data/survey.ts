import type { Choice, Selection } from './choose';
import { type OpenedImages, openImageSet } from './image-set';
import { numericHint } from './layout/class-order';
import type { Part } from './layout/names';
import type { Look } from './pack';
import { imageBytes, readImages } from './pixels';
import { sidesOf } from './recordings';
import { junkNotes, orderOf, type PartReport } from './report';
import { stratifiedSplit } from './split';
import type { LoadOptions, SkippedFile, UserFile } from './types';

/** RGB bytes of a small square picture, row by row. */
export interface Thumbnail {
  image: string;
  side: number;
  pixels: Uint8Array<ArrayBuffer>;
}

/** Images that are one file under several names. */
export interface EqualImages {
  images: string[];
  /** that they are labelled as; more than one, and all labels but one are wrong */
  classes: string[];
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
  /** parts of the source that are not used, and their images */
  unused: { part?: Part; images: number }[];
  /** files that are left out, as far as names and headers tell */
  skipped: SkippedFile[];
  /** images that EXIF data would have turned, as far as headers were read */
  rotated: string[];
  /** images whose files are the same, 1,000 groups at most; those of several classes first */
  equal: EqualImages[];
  /** of an image as a run would take it where nothing asks for another size, in pixels; by the headers of some */
  size: { width: number; height: number };
  /** some of each class, in the order of the classes */
  thumbnails: Thumbnail[][];
  notes: string[];
}

/** Headers lie in files that are read whole, bytes together; those of more are read when the images are. */
const MOST_BYTES = 2 ** 29;
/** Groups of equal images that are told. */
const MOST_EQUAL = 1000;
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
  const looks = await lookInto(taken, options);
  const found = new Map(taken.map((part, i) => [part, readable(part, looks[i])]));
  return {
    source: source.name,
    classes,
    originals,
    parts: partsOf(choice, selected, found, classes, options),
    unused: choice.unused.map(({ part, labels }) => ({ part, images: labels.length })),
    skipped: [
      ...source.skipped,
      ...taken.flatMap(({ leftOut }) => leftOut),
      ...looks.flatMap(({ unreadable }) => unreadable),
    ],
    rotated: looks.flatMap(({ rotated }) => rotated),
    equal: equalImages([...found.values()].flat(), classes),
    size: await sizeOfSome((selected.train ?? selected.test)!, options),
    thumbnails: await thumbnailsByClass((selected.train ?? selected.test)!, classes.length, options),
    notes: [
      ...(options.classes ? [] : [`${classes.length} classes ${order}.`]),
      ...(natural ? [numericHint(classes, natural)] : []),
      ...source.notes,
      ...junkNotes(tree),
    ],
  };
}

/** Images whose headers tell the size of all. */
const OF_SIZE = 256;

async function sizeOfSome({ candidates, chosen }: Selection, { exif, signal }: LoadOptions) {
  const stride = Math.ceil(chosen.length / OF_SIZE);
  const some = chosen.filter((_, i) => i % stride === 0);
  const { width, height } = await candidates.size(some, { upright: exif === 'apply', signal });
  return { width, height };
}

/** An image whose file can be read, as far as that was looked into. */
interface Readable {
  path: string;
  label: number;
  /** of the file's bytes; absent where nobody looked */
  digest?: string;
}

/** What the files of each part tell; nothing where they are too large to be read for it. */
async function lookInto(parts: readonly Selection[], { signal }: LoadOptions): Promise<Look[]> {
  const bytes = parts.reduce((sum, { candidates, chosen }) => sum + candidates.bytes(chosen), 0);
  const looks: Look[] = [];
  for (const { candidates, chosen } of parts)
    looks.push(
      bytes > MOST_BYTES
        ? { unreadable: [], rotated: [], digests: [] }
        : await candidates.look(chosen, { signal }),
    );
  return looks;
}

function readable({ candidates, chosen, labels }: Selection, { unreadable, digests }: Look): Readable[] {
  const isBroken = new Set(unreadable.map(({ path }) => path));
  return chosen
    .map((index, i) => ({ path: candidates.path(index), label: labels[i], digest: digests[i] }))
    .filter(({ path }) => !isBroken.has(path));
}

function partsOf(
  choice: Choice,
  { train, test }: OpenedImages['selected'],
  found: ReadonlyMap<Selection, Readable[]>,
  classes: readonly string[],
  { val = 0.2, seed = 0 }: LoadOptions,
): PartReport[] {
  const of = (part: Selection) => found.get(part)!.map(({ label }) => label);
  const parts: PartReport[] = [];
  if (train && choice.holdsOut) {
    const labels = of(train);
    const digests = found.get(train)!.map(({ digest }, i) => digest ?? String(i));
    const paths = found.get(train)!.map(({ path }) => path);
    const split = stratifiedSplit(labels, sidesOf({ paths, labels }, digests, val), val, seed);
    const pick = (indices: number[]) => indices.map((i) => labels[i]);
    parts.push(partOf('train', choice.train?.part, pick(split.train), classes));
    parts.push(partOf('test', 'held', pick(split.held), classes));
    return parts;
  }
  if (train) parts.push(partOf('train', choice.train?.part, of(train), classes));
  if (test) parts.push(partOf('test', choice.test?.part, of(test), classes));
  return parts;
}

/** Images whose files hold the same bytes, those first that are of several classes. */
function equalImages(images: readonly Readable[], classes: readonly string[]): EqualImages[] {
  const groups = new Map<string, Readable[]>();
  for (const image of images) {
    if (image.digest === undefined) continue;
    const group = groups.get(image.digest);
    if (group) group.push(image);
    else groups.set(image.digest, [image]);
  }
  return [...groups.values()]
    .filter(({ length }) => length > 1)
    .map((group) => ({
      images: group.map(({ path }) => path),
      classes: [...new Set(group.map(({ label }) => classes[label]))],
    }))
    .sort((a, b) => b.classes.length - a.classes.length)
    .slice(0, MOST_EQUAL);
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
