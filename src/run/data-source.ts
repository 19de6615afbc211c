import { BUILTIN_COUNT, generateBuiltin } from '../data/builtin/builtin';
import type { LabelledImages, UserFile } from '../data/types';
import { UserError } from '../errors';
import type { LoadedNetwork } from './network-source';

/**
 * A labelled image set. `files`: one .zip, a folder's files, CIFAR-10 binary batches or an IDX pair.
 * `builtin`: the procedural set, generated from its fixed seed.
 */
export type DataSource = { kind: 'builtin'; split: 'train' | 'test' } | { kind: 'files'; files: UserFile[] };

export interface DataSourceOptions {
  /** pixels a side; 0 or absent: the images' own size */
  size?: number;
  /** at most so many images; 0 or absent: all */
  limit?: number;
  seed?: number;
  /** the classes that the set must have */
  classes?: string[];
  /** which files to take where a data set's training and test files lie side by side */
  split: 'train' | 'test';
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

export async function loadData(source: DataSource, options: DataSourceOptions): Promise<LabelledImages> {
  if (source.kind === 'builtin') {
    const all = BUILTIN_COUNT[source.split];
    return generateBuiltin({ split: source.split, count: Math.min(options.limit || all, all) });
  }
  // the readers of files come when the first file does: the built-in images need none
  const { loadImages } = await import('../data/load');
  const { onProgress, ...rest } = options;
  return loadImages(source.files, { ...rest, onProgress: ({ done, total }) => onProgress?.(done, total) });
}

/** One sentence on the files that were left out; undefined where there are none. */
export function skippedWarning({ skipped }: Pick<LabelledImages, 'skipped'>): string | undefined {
  if (skipped.length === 0) return undefined;
  const [{ path, reason }] = skipped;
  const many = skipped.length > 1;
  return `${skipped.length} ${many ? 'images were' : 'image was'} skipped, ${many ? 'first ' : ''}${path}: ${reason}`;
}

/** Throws unless the images' classes are as many as the network's. */
export function checkClasses({ file, model }: LoadedNetwork, { classes }: LabelledImages): void {
  const expected = model.head.classes;
  if (classes.length === expected) return;
  const names = `${classes.slice(0, 5).join(', ')}${classes.length > 5 ? ', ...' : ''}`;
  throw new UserError(
    `${file} tells ${expected} classes apart, the images have ${classes.length} (${names}): use images of the network's own classes.`,
  );
}
