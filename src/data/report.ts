import { csv } from '../io/csv';
import type { Choice, Selection } from './choose';
import type { FileTree } from './files/tree';
import type { Size } from './images/format';
import { naturalOrder, numericHint, orderName, quoted } from './layout/class-order';
import type { Part } from './layout/names';
import type { Packed } from './pack';
import { amountOf } from './store/amount';
import type { LabelledImages, LoadOptions, SkippedFile } from './types';

/** Images of a part that was loaded. */
export interface PartReport {
  use: 'train' | 'test';
  /** the part of the source that it is; `held`: held out of the training images; absent: the whole source */
  from?: Part | 'held';
  images: number;
  /** how many of each class, in the order of the classes */
  perClass: number[];
}

/** Images that are equal after decoding. */
export interface DuplicateReport {
  /** images that repeat another one of their part */
  copies: number;
  /** test images that are among the training images */
  leaked: number;
  /** pairs of equal images with different classes, one of them named */
  contradictions: number;
}

/** What was found, left out and decided while a source was loaded. */
export interface ImageSetReport {
  source: string;
  classes: string[];
  /** in words */
  classOrder: string;
  parts: PartReport[];
  /** the classes in natural order, where the order by name may be a mistake */
  natural?: string[];
  /** parts of the source that were not loaded, and their images */
  unused: { part?: Part; images: number }[];
  size: Size;
  /** where the decoded images are */
  kept: { bytes: number; place: string };
  duplicates: DuplicateReport;
  /** every file that was left out, by path, and why */
  skipped: SkippedFile[];
  /** images whose EXIF data asks for a turn, and whether they were turned */
  rotated: number;
  upright: boolean;
  /** system and hidden files that were passed over */
  junk: number;
  /** what to tell once: how the source was understood, and every default that was chosen */
  notes: string[];
  /** what the user should look at */
  warnings: string[];
}

interface Loaded {
  images: LabelledImages;
  digests: string[];
}

/** All that loading came to know. */
export interface Findings {
  source: { name: string; skipped: SkippedFile[]; notes: string[] };
  tree: FileTree;
  choice: Choice;
  selected: { train?: Selection; test?: Selection };
  packs: Packed[];
  size: Size & { why?: string };
  classes: string[];
  upright: boolean;
  options: LoadOptions;
  train?: Loaded;
  test?: Loaded;
}

export function reportOf(findings: Findings): ImageSetReport {
  const { source, tree, choice, selected, packs, size, classes, upright, options, train, test } = findings;
  const leftOut = [selected.train, selected.test].flatMap((part) => part?.leftOut ?? []);
  const skipped = [...source.skipped, ...leftOut, ...packs.flatMap((pack) => pack.skipped)];
  const duplicates = duplicatesOf(train, test);
  const isResized = packs.some(({ resized }) => resized);
  const rotated = packs.reduce((sum, pack) => sum + pack.rotated, 0);
  const parts: PartReport[] = [];
  if (train) parts.push(partReport('train', choice.train?.part, train));
  if (test) parts.push(partReport('test', choice.holdsOut ? 'held' : choice.test?.part, test));
  const unused = choice.unused.map(({ part, labels }) => ({ part, images: labels.length }));
  const { order, natural } = orderOf(classes, choice, options);
  const report = {
    source: source.name,
    classes,
    classOrder: order,
    natural,
    parts,
    unused,
    size: { width: size.width, height: size.height },
    kept: keptOf(packs),
  };
  return {
    ...report,
    duplicates,
    skipped,
    rotated,
    upright,
    junk: tree.junk,
    notes: [
      `${source.name}: ${classes.length} classes ${order}: ${quoted(classes)}.`,
      ...source.notes,
      partsNote(parts, unused, options),
      size.why ?? `${isResized ? 'Images are resized to' : 'All images are'} ${size.width}x${size.height}.`,
      ...(isResized ? resizingNotes(size, options) : []),
      ...limitNotes(selected, options),
      ...keptNotes(report.kept),
      ...(rotated > 0 && upright
        ? [`${count(rotated, 'image was', 'images were')} turned upright, as EXIF data asks.`]
        : []),
      ...junkNotes(tree),
    ],
    warnings: [
      ...skippedWarnings(skipped),
      ...classWarnings(parts, classes),
      ...(natural ? [numericHint(classes, natural)] : []),
      ...(rotated > 0 && !upright
        ? [
            `${count(rotated, 'image has', 'images have')} an EXIF rotation, which is ignored, as torchvision's loader does; --exif apply turns them upright.`,
          ]
        : []),
      ...duplicateWarnings(duplicates, choice.holdsOut),
    ],
  };
}

/** How the classes are ordered, in words; and in natural order, where theirs may be a mistake. */
export function orderOf(
  classes: string[],
  choice: Choice,
  options: LoadOptions,
): { order: string; natural?: string[] } {
  if (options.classes) return { order: 'as known already' };
  const { classOrder = 'name' } = options;
  const hasOwnOrder = (choice.train ?? choice.test)?.classes !== undefined && classOrder === 'name';
  const order = hasOwnOrder ? "in the format's order" : orderName(classOrder);
  return { order, natural: naturalOrder(classes, classOrder) };
}

export const junkNotes = ({ junk }: FileTree): string[] =>
  junk > 0 ? [`${count(junk, 'system or hidden file was', 'system or hidden files were')} passed over.`] : [];

/** What is kept of images of another size. */
function resizingNotes(
  { width, height }: Size,
  { interpolation = 'bilinear', cropPct = 1, cropMode = 'center' }: LoadOptions,
): string[] {
  if (cropMode === 'squash') return ['They are stretched to that size, whatever their own proportions.'];
  if (cropMode === 'border') return ['They keep their proportions, with black around them.'];
  if (interpolation === 'bilinear' && cropPct === 1)
    return ['Their middle is kept, what lies beside it is cut off (--crop-mode keeps all).'];
  const side = Math.floor(Math.min(width, height) / cropPct);
  return [
    `Images of another size are resized by the ${interpolation} filter to a shorter side of ${side}, and their middle is cut out.`,
  ];
}

function keptOf(packs: readonly Packed[]): ImageSetReport['kept'] {
  const all = packs.map(({ pixels }) =>
    pixels instanceof Uint8Array ? { bytes: pixels.length, place: 'memory' } : pixels,
  );
  return { bytes: all.reduce((sum, { bytes }) => sum + bytes, 0), place: all[0].place };
}

/** Memory is what everybody expects. */
const keptNotes = ({ bytes, place }: ImageSetReport['kept']): string[] =>
  place === 'memory' ? [] : [`Decoded, the images take ${amountOf(bytes)} and are kept in ${place}.`];

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

function partReport(use: PartReport['use'], from: PartReport['from'], { images }: Loaded): PartReport {
  const perClass = images.classes.map(() => 0);
  for (const label of images.labels) perClass[label]++;
  return { use, from, images: images.count, perClass };
}

function partsNote(
  parts: PartReport[],
  unused: ImageSetReport['unused'],
  { val = 0.2, seed = 0 }: LoadOptions,
): string {
  const said = parts.map(({ use, from, images }) => {
    const what = `${count(images, 'image', 'images')} ${use}`;
    if (from === 'held')
      return `${what} (held out: ${Math.round(val * 100)} % of each class, at least one, --val ${val}, seed ${seed})`;
    return from ? `${what} (part ${from})` : what;
  });
  const rest = unused.map(
    ({ part, images }) => `${count(images, 'image', 'images')} of part ${part} are not used`,
  );
  return `${[...said, ...rest].join(', ')}.`;
}

function limitNotes({ train, test }: Findings['selected'], { limit = 0 }: LoadOptions): string[] {
  return [train, test]
    .filter((part) => part !== undefined)
    .filter(({ chosen, available }) => chosen.length < available)
    .map(
      ({ chosen, available }) =>
        `Of ${available} images ${chosen.length} are taken, evenly over the classes (--limit ${limit}).`,
    );
}

function skippedWarnings(skipped: SkippedFile[]): string[] {
  const sentence = skippedSentence(skipped);
  return sentence === undefined ? [] : [sentence];
}

function classWarnings(parts: PartReport[], classes: string[]): string[] {
  const warnings: string[] = [];
  for (const { use, perClass } of parts) {
    const missing = classes.filter((_, i) => perClass[i] === 0);
    if (missing.length > 0)
      warnings.push(
        `There are no ${use === 'train' ? 'training' : 'test'} images of class ${quoted(missing)}.`,
      );
  }
  return warnings;
}

/** The skipped files as a CSV of two columns, path and reason. */
export const skippedCsv = (skipped: readonly SkippedFile[]): string =>
  csv([['path', 'reason'], ...skipped.map(({ path, reason }) => [path, reason])]);

/** One sentence on the files that were left out, the commonest reasons first; undefined where there are none. */
export function skippedSentence(skipped: readonly SkippedFile[]): string | undefined {
  if (skipped.length === 0) return undefined;
  const byReason = new Map<string, SkippedFile[]>();
  for (const file of skipped) byReason.set(file.reason, [...(byReason.get(file.reason) ?? []), file]);
  const reasons = [...byReason.entries()].sort(([, a], [, b]) => b.length - a.length);
  const shown = reasons.slice(0, 5).map(([reason, files]) => {
    const others = files.length > 1 ? ` and ${files.length - 1} more` : '';
    return `${files[0].path}${others}: ${reason}`;
  });
  const rest = reasons.length > 5 ? `; and ${reasons.length - 5} more reasons` : '';
  const count = skipped.length === 1 ? '1 file was' : `${skipped.length} files were`;
  return `${count} skipped: ${shown.join('; ')}${rest}.`;
}

/** Images that repeat another one of their part. */
function copiesWithin({ images, digests }: Loaded): Omit<DuplicateReport, 'leaked'> {
  const first = new Map<string, number>();
  const found = { copies: 0, contradictions: 0 };
  for (const [i, digest] of digests.entries()) {
    const label = first.get(digest);
    if (label === undefined) first.set(digest, images.labels[i]);
    else {
      found.copies++;
      if (label !== images.labels[i]) found.contradictions++;
    }
  }
  return found;
}

/** Test images that are among the training images, and how many of them have another class there. */
export function leaksBetween(train: Loaded, test: Loaded): Omit<DuplicateReport, 'copies'> {
  const trained = new Map(train.digests.map((digest, i) => [digest, train.images.labels[i]]));
  const found = { leaked: 0, contradictions: 0 };
  for (const [i, digest] of test.digests.entries()) {
    const label = trained.get(digest);
    if (label === undefined) continue;
    found.leaked++;
    if (label !== test.images.labels[i]) found.contradictions++;
  }
  return found;
}

function duplicatesOf(train?: Loaded, test?: Loaded): DuplicateReport {
  const within = [train, test].filter((part) => part !== undefined).map(copiesWithin);
  const across = train && test ? leaksBetween(train, test) : { leaked: 0, contradictions: 0 };
  return {
    copies: within.reduce((sum, { copies }) => sum + copies, 0),
    leaked: across.leaked,
    contradictions: within.reduce((sum, { contradictions }) => sum + contradictions, across.contradictions),
  };
}

/** Sentences on equal images. */
export function duplicateWarnings(
  { copies, leaked, contradictions }: DuplicateReport,
  isSplit: boolean,
): string[] {
  const warnings: string[] = [];
  const images = (count: number) => (count === 1 ? '1 image is' : `${count} images are`);
  if (copies > 0)
    warnings.push(
      `${images(copies)} equal to another after decoding${isSplit ? '; equal images stay on one side of the split' : ''}.`,
    );
  if (leaked > 0)
    warnings.push(
      `${leaked === 1 ? '1 test image is' : `${leaked} test images are`} among the training images, which flatters the accuracy.`,
    );
  if (contradictions > 0)
    warnings.push(`${images(contradictions)} equal to one of another class: one of the two labels is wrong.`);
  return warnings;
}
