import type { UserFile } from '../data/types';
import { UserError } from '../errors';

/** Bytes of a list of classes at most. */
const MAX_LABELS = 2 ** 22;

/**
 * Names of classes, in the order of a classifier's rows: a line each, or a JSON array.
 * @throws UserError where the file is no such list
 */
export async function readLabels({ path, blob }: UserFile): Promise<string[]> {
  if (blob.size > MAX_LABELS)
    throw new UserError(`${path} is too large for a list of classes; name another file.`);
  const contents = await blob.text();
  if (/\0|\uFFFD/.test(contents))
    throw new UserError(`${path} is no list of classes: it is no text in UTF-8.`);
  const lines = contents.split(/\r?\n/).map((line) => line.trim());
  let labels: unknown = lines.filter((line) => line !== '');
  if (/^\s*[[{]/.test(contents)) {
    try {
      labels = JSON.parse(contents);
    } catch {
      labels = undefined;
    }
  }
  if (Array.isArray(labels) && labels.every((label) => typeof label === 'string')) return toldApart(labels);
  throw new UserError(`${path} is no list of classes: write one name a line, or a JSON array of names.`);
}

/** Names that several rows have (ImageNet's crane, the bird and the machine) are told apart by their rows. */
function toldApart(labels: readonly string[]): string[] {
  const rows = new Map<string, number>();
  for (const label of labels) rows.set(label, (rows.get(label) ?? 0) + 1);
  return labels.map((label, row) => (rows.get(label)! > 1 ? `${label} (row ${row})` : label));
}
