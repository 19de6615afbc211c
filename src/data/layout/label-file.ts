import { FormatError } from '../../io/format-error';
import { parentOf, type SourceFile } from '../files/tree';
import { columnsOf, fromTable, type LabelRow, rowsOf } from './label-table';

/** A file that tells labels. */
const MAX_BYTES = 64 * 2 ** 20;
const MAX_ROWS = 5_000_000;

export interface LabelFile {
  path: string;
  rows: LabelRow[];
  /** what it is read as; absent: UTF-8 */
  encoding?: string;
}

/**
 * Reads what tells labels: CSV or TSV (`label-table.ts`); JSON as {image: label}, {class: [images]}, [[image, label]], COCO's tables or
 * objects whose keys are such columns, in an array or a line each. Undefined where the file is something else, or too large to be one.
 */
export async function readLabelFile(file: SourceFile): Promise<LabelFile | undefined> {
  const decoded = await readText(file);
  if (!decoded) return undefined;
  const { text, encoding } = decoded;
  const rows = /\.jsonl?$/i.test(file.path) ? fromJson(text) : await fromTable(text, MAX_ROWS);
  return rows && rows.length > 0 ? { path: file.path, rows, encoding } : undefined;
}

/** The text of a file; undefined where it is damaged, or too large to tell labels. */
export async function readText(file: SourceFile): Promise<{ text: string; encoding?: string } | undefined> {
  if (file.size > MAX_BYTES) return undefined;
  try {
    return decodeText(await file.read());
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** Text in UTF-8, or as spreadsheets write it: in UTF-16 with its mark, else in the code page of western Windows. */
function decodeText(bytes: Uint8Array): { text: string; encoding?: string } {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { text: new TextDecoder('utf-16le').decode(bytes) };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { text: new TextDecoder('windows-1252').decode(bytes), encoding: 'Windows-1252' };
  }
}

function fromJson(text: string): LabelRow[] | undefined {
  const value =
    parsed(text) ??
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(parsed);
  if (isObject(value)) {
    const rows = fromCoco(value);
    if (rows) return rows.slice(0, MAX_ROWS);
  }
  // some tools keep the labels under a key of their own
  const rows =
    fromValue(value) ?? (isObject(value) ? fromValue(value.labels ?? value.annotations) : undefined);
  return rows?.slice(0, MAX_ROWS);
}

/** COCO's tables of images, annotations and categories: a row for each image whose annotations are all of one class. */
function fromCoco({ images, annotations, categories }: Record<string, unknown>): LabelRow[] | undefined {
  if (![images, annotations, categories].every(Array.isArray)) return undefined;
  const valuesById = (table: unknown, key: string) =>
    new Map((table as unknown[]).filter(isObject).map((row) => [row.id, row[key]]));
  const fileOf = valuesById(images, 'file_name');
  const nameOf = valuesById(categories, 'name');
  const classes = new Map<string, Set<string>>();
  for (const { image_id, category_id } of (annotations as unknown[]).filter(isObject)) {
    const image = fileOf.get(image_id);
    const name = nameOf.get(category_id);
    if (typeof image !== 'string' || !isLabel(name)) continue;
    classes.set(image, (classes.get(image) ?? new Set()).add(String(name)));
  }
  const rows = [...classes].flatMap(([image, [label, ...others]]) =>
    others.length === 0 ? [{ image, label }] : [],
  );
  // as in tables: where most images show several classes, none is what an image is of
  return rows.length * 2 < classes.size ? [] : rows;
}

function fromValue(value: unknown): LabelRow[] | undefined {
  if (Array.isArray(value)) {
    if (value.every(isPair)) return value.map(([image, label]) => ({ image, label: String(label) }));
    return value.every(isObject) ? fromObjects(value) : undefined;
  }
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.every(([, label]) => isLabel(label)))
    return entries.map(([image, label]) => ({ image, label: String(label) }));
  if (
    entries.every(([, images]) => Array.isArray(images) && images.every((image) => typeof image === 'string'))
  ) {
    return entries.flatMap(([label, images]) => (images as string[]).map((image) => ({ image, label })));
  }
  if (entries.every(([, row]) => isObject(row))) {
    return fromObjects(entries.map(([filename, row]) => ({ filename, ...(row as object) })));
  }
  return undefined;
}

function fromObjects(objects: Record<string, unknown>[]): LabelRow[] | undefined {
  if (objects.length === 0) return undefined;
  const keys = Object.keys(objects[0]);
  const cells = objects.map((object) => keys.map((key) => (isLabel(object[key]) ? String(object[key]) : '')));
  const columns = columnsOf(keys, cells);
  return columns && rowsOf(keys, cells, columns);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLabel(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function isPair(value: unknown): value is [string, string | number] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && isLabel(value[1]);
}

/**
 * Finds the images that label files speak of: by their path, or by the end of it, with or without the extension; or by the end of what they say,
 * where that leads through folders of another machine. A Mac writes accents apart from their letters.
 */
export class ImageIndex {
  private readonly byPath = new Map<string, SourceFile>();
  /** by name without the folder, and without the extension too */
  private readonly byName = new Map<string, SourceFile[]>();

  constructor(images: SourceFile[]) {
    for (const image of images) {
      const path = image.path.normalize();
      this.byPath.set(path, image);
      const name = nameOf(path);
      for (const key of new Set([name, stemOf(name)])) {
        const same = this.byName.get(key);
        if (same) same.push(image);
        else this.byName.set(key, [image]);
      }
    }
  }

  /** The images that `name` in the file at `labelPath` may mean; several where folders hold the same name. */
  find(name: string, labelPath: string): SourceFile[] {
    const whole = name.normalize().replaceAll('\\', '/');
    const path = whole.replace(/^(\.?\/)+/, '');
    const folder = parentOf(labelPath).normalize();
    const exact = this.byPath.get(folder === '' ? path : `${folder}/${path}`) ?? this.byPath.get(path);
    if (exact) return [exact];
    const found = this.byName.get(nameOf(path)) ?? [];
    const ends = found.filter((image) => endsWith(image.path.normalize(), path));
    if (ends.length > 0 || !ELSEWHERE.test(whole)) return ends;
    return found.filter((image) => {
      const own = image.path.normalize();
      const below = folder !== '' && own.startsWith(`${folder}/`) ? own.slice(folder.length + 1) : own;
      return `/${whole}`.endsWith(`/${below}`) || `/${whole}`.endsWith(`/${stemOf(below)}`);
    });
  }
}

/** A path through folders that are not the set's: from a disk's top, or out of the folder. */
const ELSEWHERE = /^(([a-z]:)?\/|\.\.\/)/i;

const endsWith = (path: string, end: string): boolean =>
  `/${path}`.endsWith(`/${end}`) || stemOf(`/${path}`).endsWith(`/${end}`);
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const stemOf = (path: string): string => path.replace(/\.[^./]*$/, '');
