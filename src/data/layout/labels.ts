import { baseName, byCodePoint, type FileTree, type SourceFile } from '../files/tree';
import { ImageIndex, type LabelFile, readLabelFile } from './label-file';
import { isLabelName, type Part, partWithin } from './names';
import type { Layout, PartFiles } from './types';

/** Label files that are looked into, nearest the top first. */
const MAX_FILES = 20;
/** Answers for a contest, not labels. */
const NO_LABELS = /sample.?submission/i;

/** The layout by the source's label files; undefined where they name none of the images. */
export async function readLabels(
  tree: FileTree,
  images: SourceFile[],
  partOfFolder: (image: SourceFile) => Part | undefined,
): Promise<Layout | undefined> {
  const depth = ({ path }: SourceFile) => path.split('/').length;
  const files = tree.files
    .filter(({ path }) => isLabelName(path) && !NO_LABELS.test(path))
    .sort((a, b) => depth(a) - depth(b) || byCodePoint(a.path, b.path))
    .slice(0, MAX_FILES);
  const index = new ImageIndex(images);
  const found = new Map<SourceFile, { label: string; part?: Part }>();
  const notes: string[] = [];
  for (const file of files) {
    const labels = await readLabelFile(file);
    if (!labels) continue;
    const left = withoutOtherParts(labels);
    const { named, missing, other } = apply(left, index, found, partOfFolder);
    if (named === 0) continue;
    const said = [
      `Labels of ${named} images from ${file.path}`,
      ...(missing > 0 ? [`${missing} of its rows name no image, or several`] : []),
      ...(other > 0 ? [`${other} of its rows give an image another label than the first that names it`] : []),
      ...(left.rows.length < labels.rows.length
        ? [`${labels.rows.length - left.rows.length} of its rows are of no part such as train, val or test`]
        : []),
      ...(labels.encoding ? [`it is not in UTF-8 and is read as ${labels.encoding}`] : []),
    ];
    notes.push(`${said.join('; ')}.`);
  }
  if (found.size === 0) return undefined;
  const skipped = images
    .filter((image) => !found.has(image))
    .map(({ path }) => ({ path, reason: 'no label file gives it a class' }));
  return { name: tree.name, parts: partsFrom(images, found), skipped, notes };
}

/** A file of parts without the rows that it says to be of another one, which are not to train with. */
function withoutOtherParts(labels: LabelFile): LabelFile {
  const hasParts = labels.rows.some(({ part }) => part !== undefined);
  return hasParts ? { ...labels, rows: labels.rows.filter(({ otherPart }) => !otherPart) } : labels;
}

/** Takes over the rows of a file for the images that have no label yet. */
function apply(
  { path, rows }: LabelFile,
  index: ImageIndex,
  found: Map<SourceFile, { label: string; part?: Part }>,
  partOfFolder: (image: SourceFile) => Part | undefined,
): { named: number; missing: number; other: number } {
  const ownPart = partWithin(baseName(path).replace(/\.[^.]*$/, ''));
  let [named, missing, other] = [0, 0, 0];
  for (const row of rows) {
    const part = row.part ?? ownPart;
    let meant = index.find(row.image, path);
    if (meant.length > 1 && part) meant = meant.filter((image) => partOfFolder(image) === part);
    if (meant.length !== 1) {
      missing++;
      continue;
    }
    const [image] = meant;
    const known = found.get(image);
    if (known) {
      if (known.label !== row.label) other++;
      continue;
    }
    found.set(image, { label: row.label, part: row.part ?? partOfFolder(image) ?? ownPart });
    named++;
  }
  return { named, missing, other };
}

/** Images that belong to no part go to the training part where there are others. */
function partsFrom(
  images: SourceFile[],
  found: ReadonlyMap<SourceFile, { label: string; part?: Part }>,
): PartFiles[] {
  const parts = new Map<Part | undefined, PartFiles>();
  const hasParts = [...found.values()].some(({ part }) => part !== undefined);
  for (const file of images) {
    const entry = found.get(file);
    if (!entry) continue;
    const part = entry.part ?? (hasParts ? 'train' : undefined);
    const list = parts.get(part) ?? { part, files: [], labels: [], empty: [] };
    list.files.push(file);
    list.labels.push(entry.label);
    parts.set(part, list);
  }
  return [...parts.values()];
}
