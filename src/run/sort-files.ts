import { listSource } from '../data/files/archive';
import { isCifarName, isIdxName, isImageName, isSplitName } from '../data/layout/names';
import type { SkippedFile, UserFile } from '../data/types';
import { UserError } from '../errors';
import { bytesOf } from '../io/blob';
import { kindOf, START } from '../io/kind';
import { bundleFolder } from './bundle-folder';

/** What files are for, as indices among those that were given. */
export interface SortedFiles {
  weights: number[];
  /** a labelled set: archives, folders, label files */
  images: number[];
  /** pictures without a class: to be predicted */
  pictures: number[];
  /** names of the classifier's rows */
  labels?: number;
  /** a run's settings, config.json or report.json, or an experiment's file or results */
  settings?: number;
  /** bundles of runs */
  runs: number[];
  /** runs as folders, each by the folder's path, which ends in `/`, and its files */
  runFolders: { path: string; files: number[] }[];
  ignored: SkippedFile[];
}

type Kind =
  | 'weights'
  | 'images'
  | 'picture'
  | 'table'
  | 'labels'
  | 'settings'
  | 'json'
  | 'broken'
  | 'folder'
  | 'run';

const WEIGHTS =
  /\.(safetensors(\.index\.json)?|index\.json|pt|pth|th|ckpt|tar\.pth|onnx([._]data)?|h5|keras|gguf|tflite|npz?|pkl|mlmodel)$/i;
const ARCHIVE = /\.(zip|tar|t?gz|7z|rar|t?bz2?|t?xz|zst)$/i;
const TABLE = /\.(csv|tsv|jsonl)$/i;
const HIDDEN = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/i;
/** Bytes of a text that is read to learn what it is. */
const MAX_TEXT = 2 ** 22;

/**
 * Sorts what a user dropped by what it is for: by name, and by content where names do not tell. Nothing is opened but
 * the directories of archives.
 */
export async function sortFiles(files: readonly UserFile[]): Promise<SortedFiles> {
  const runFolders = runFoldersOf(files);
  const sorted: SortedFiles = { weights: [], images: [], pictures: [], runs: [], runFolders, ignored: [] };
  const ofRuns = new Set(runFolders.flatMap((folder) => folder.files));
  const kinds: (Kind | undefined)[] = [];
  for (const [i, file] of files.entries())
    kinds.push(ofRuns.has(i) || HIDDEN.test(file.path) ? undefined : await kindOfDrop(file));
  const of = (kind: Kind) => [...kinds.keys()].filter((i) => kinds[i] === kind);
  sorted.weights = of('weights');
  sorted.runs = of('run');
  [sorted.labels] = of('labels');
  [sorted.settings] = of('settings');
  const pictures = of('picture');
  const tables = [...of('table'), ...of('json')];
  const hasClasses = pictures.some((i) => files[i].path.includes('/'));
  if (hasClasses || tables.length > 0 || of('images').length > 0) {
    sorted.images = [...of('images'), ...pictures, ...of('folder'), ...tables].sort((a, b) => a - b);
  } else sorted.pictures = pictures;
  const ignore = (i: number, reason: string) => sorted.ignored.push({ path: files[i].path, reason });
  // beside weights a JSON file is their configuration, not a table of labels
  if (sorted.weights.length > 0 && pictures.length === 0 && of('images').length === 0) {
    sorted.images = [];
    for (const i of tables) ignore(i, 'weights are recognised without it');
  }
  for (const kind of ['labels', 'settings'] as const)
    for (const i of of(kind).slice(1)) ignore(i, `one file of ${kind} is enough`);
  for (const i of of('broken')) ignore(i, 'it is not JSON, or breaks off');
  for (const [i, kind] of kinds.entries())
    if (kind === undefined && !ofRuns.has(i) && !HIDDEN.test(files[i].path))
      ignore(i, 'it holds no weights, images, labels or settings that are known here');
  return sorted;
}

/** The folders among files that are runs, as the command line leaves them: several where they lie beside each other. */
function runFoldersOf(files: readonly UserFile[]): SortedFiles['runFolders'] {
  const folders = new Map<string, number[]>();
  for (const [i, { path }] of files.entries()) {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    // files that were picked one by one have no folder: they are what they are
    if (folder !== '') folders.set(folder, [...(folders.get(folder) ?? []), i]);
  }
  return [...folders]
    .filter(([path, inside]) => bundleFolder(inside.map((i) => files[i].path)) === path)
    .map(([path, inside]) => ({ path, files: inside }));
}

async function kindOfDrop(file: UserFile): Promise<Kind | undefined> {
  const { path } = file;
  if (path.endsWith('/')) return 'folder';
  if (WEIGHTS.test(path)) return 'weights';
  if (isImageName(path)) return 'picture';
  if (TABLE.test(path) || isSplitName(path)) return 'table';
  if (isIdxName(path)) return 'images';
  if (ARCHIVE.test(path)) return kindOfArchive(file);
  if (/\.json$/i.test(path)) return kindOfJson(file);
  if (/\.txt$/i.test(path)) return /readme|licen[cs]e|requirements/i.test(path) ? undefined : 'labels';
  if (await holdsWeights(file)) return 'weights';
  return isCifarName(path) ? 'images' : undefined;
}

/** An archive without an image may pack weights; one that cannot be listed says why where images are read. */
async function kindOfArchive(file: UserFile): Promise<Kind> {
  try {
    const { files } = await listSource([file], () => false);
    if (files.some(({ path }) => isImageName(path))) return 'images';
    if (bundleFolder(files.map(({ path }) => path)) !== undefined) return 'run';
    const isPacked = files.some(({ path }) => WEIGHTS.test(path) || /(^|\/)data\.pkl$/.test(path));
    return isPacked ? 'weights' : 'images';
  } catch (error) {
    if (error instanceof UserError) return 'images';
    throw error;
  }
}

async function kindOfJson({ blob }: UserFile): Promise<Kind> {
  if (blob.size > MAX_TEXT) return 'json';
  try {
    const content: unknown = JSON.parse(await blob.text());
    if (Array.isArray(content)) return content.every((name) => typeof name === 'string') ? 'labels' : 'json';
    const names = ['settings', 'arms', 'experiment'];
    return typeof content === 'object' && content !== null && names.some((name) => name in content)
      ? 'settings'
      : 'json';
  } catch {
    return 'broken';
  }
}

async function holdsWeights({ path, blob }: UserFile): Promise<boolean> {
  try {
    kindOf({ bytes: await bytesOf(blob, 0, START), name: path.toLowerCase() });
    return true;
  } catch {
    return false;
  }
}
