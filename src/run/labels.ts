import type { UserFile } from '../data/types';
import { UserError } from '../errors';

/** Bytes of a list of classes at most. */
const MAX_LABELS = 2 ** 22;

/**
 * Names of classes, in the order of a classifier's rows: a line each, or a JSON array.
 * @throws UserError where the file is no such list, or has a name twice
 */
export async function readLabels({ path, blob }: UserFile): Promise<string[]> {
  if (blob.size > MAX_LABELS)
    throw new UserError(`${path} is too large for a list of classes; name another file.`);
  const contents = await blob.text();
  const lines = contents.split(/\r?\n/).map((line) => line.trim());
  let labels: unknown = lines.filter((line) => line !== '');
  if (/^\s*\[/.test(contents)) {
    try {
      labels = JSON.parse(contents);
    } catch {
      labels = undefined;
    }
  }
  const isList = Array.isArray(labels) && labels.every((label) => typeof label === 'string');
  if (isList && new Set(labels as string[]).size === (labels as string[]).length) return labels as string[];
  throw new UserError(
    `${path} is no list of classes: write one name a line, each once, or a JSON array of them.`,
  );
}
