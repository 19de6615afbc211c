import { isImageName, type Part, partNamed } from './names';

/** A row of a label file: what it calls an image, its class, and the part that it belongs to where the file says so. */
export interface LabelRow {
  image: string;
  label: string;
  part?: Part;
  /** what the file says in place of a part, where that is none */
  otherPart?: string;
}

/** Names of columns, the likeliest first, without what stands between their words. */
const IMAGE_COLUMNS = [
  'filename',
  'filenames',
  'file',
  'image',
  'imagename',
  'img',
  'imgname',
  'path',
  'filepath',
  'filepaths',
  'imagepath',
  'imgpath',
  'imageid',
  'imgid',
  'imageindex',
  'fname',
  'idcode',
];
/** Names that other things have too: taken where no column is surely the images'. */
const ANY_COLUMNS = ['name', 'id'];
const LABEL_COLUMNS = [
  'label',
  'labels',
  'class',
  'classname',
  'category',
  'target',
  'categoryname',
  'labelname',
  'species',
  'breed',
  'dx',
  'diagnosis',
  'tag',
  'classid',
  'labelid',
  'categoryid',
  'y',
];
const PART_COLUMNS = ['split', 'set', 'subset', 'dataset', 'partition', 'part', 'fold'];
/** Rows whose cells tell what a column holds. */
const LOOKED_AT = 100;
/** What a column of one class holds. */
const MARK = /^([01](\.0*)?|true|false)$/i;
const isMarked = (cell = '') => /^(1(\.0*)?|true)$/i.test(cell);

interface Columns {
  image: number;
  /** one that names the class, or one for each class that marks it */
  labels: number[];
  part?: number;
}

/**
 * The rows of CSV or TSV, `most` at most: with columns such as filename and label, or with a column for each class that says 1 where an
 * image is of it; without a header where one column holds names of images. Undefined where it is something else.
 */
export async function fromTable(text: string, most: number): Promise<LabelRow[] | undefined> {
  const { default: Papa } = await import('papaparse');
  const { data } = Papa.parse<string[]>(text, { skipEmptyLines: 'greedy', preview: most });
  if (data.length === 0 || data[0].length < 2) return undefined;
  const all = data.map((row) => row.map((cell) => cell.trim()));
  const [header, ...rest] = all;
  const isHeader = !header.some(isImageName);
  const [names, rows] = isHeader ? [header, rest] : [header.map(() => ''), all];
  const columns = columnsOf(names, rows);
  if (columns) return rowsOf(names, rows, columns);
  // names of images without their extensions, and no header
  return header.length === 2 ? rowsOf(names, all, { image: 0, labels: [1] }) : undefined;
}

/** What the columns of a table are, by their names and by what they hold. */
export function columnsOf(header: string[], rows: string[][]): Columns | undefined {
  const names = header.map((name) => name.toLowerCase().replace(/[ _-]/g, ''));
  const named = (wanted: string[]) => {
    const name = wanted.find((name) => names.includes(name));
    return name === undefined ? undefined : names.indexOf(name);
  };
  const sample = rows.slice(0, LOOKED_AT);
  const all = header.map((_, i) => i);
  const holding = (is: (cell: string) => boolean) =>
    all.filter((i) => sample.length > 0 && sample.every((row) => is(row[i] ?? '')));
  const image = named(IMAGE_COLUMNS) ?? holding(isImageName)[0] ?? named(ANY_COLUMNS);
  if (image === undefined) return undefined;
  const part = named(PART_COLUMNS) ?? holding((cell) => partNamed(cell) !== undefined)[0];
  const label = named(LABEL_COLUMNS);
  if (label !== undefined) return { image, labels: [label], part };
  const hasNames = names.some(Boolean);
  // rows may be numbered in a column without a name
  const others = all.filter((i) => i !== image && i !== part && (names[i] !== '' || !hasNames));
  if (others.length === 1) return { image, labels: others, part };
  const marks = holding((cell) => MARK.test(cell)).filter((i) => others.includes(i));
  return hasNames && marks.length > 1 ? { image, labels: marks, part } : undefined;
}

/** The rows of a table that give an image one class; none where more than half give it several. */
export function rowsOf(header: string[], cells: string[][], { image, labels, part }: Columns): LabelRow[] {
  const classesOf = (row: string[]) =>
    labels.length === 1
      ? [row[labels[0]]].filter(Boolean)
      : labels.filter((i) => isMarked(row[i])).map((i) => header[i]);
  const classes = cells.map(classesOf);
  if (classes.filter(({ length }) => length > 1).length * 2 > cells.length) return [];
  return cells.flatMap((row, i) => {
    if (!row[image] || classes[i].length !== 1) return [];
    const named = part === undefined ? '' : (row[part] ?? '');
    const known = partNamed(named);
    return { image: row[image], label: classes[i][0], part: known, otherPart: known ? undefined : named };
  });
}
