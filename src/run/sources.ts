import { BUILTIN_COUNT, generateBuiltin } from '../data/builtin/builtin';
import { loadImages } from '../data/load';
import type { LabelledImages, UserFile } from '../data/types';
import { UserError } from '../errors';
import { readWeights, type WeightsFile } from '../io/weights-file';
import { BUILTIN_NETWORK, BUILTIN_WEIGHTS } from '../model/builtin';
import { describe } from '../model/describe';
import { initialState } from '../model/init';
import type { Architecture } from '../model/net';
import { checkState } from '../model/state';
import { architecture } from '../model/zoo';
import type { NetworkOptions } from './network-options';

/**
 * A labelled image set. `files`: one .zip, a folder's files, CIFAR-10 binary batches or an IDX pair.
 * `builtin`: the procedural set, generated from its fixed seed.
 */
export type DataSource = { kind: 'builtin'; split: 'train' | 'test' } | { kind: 'files'; files: UserFile[] };

/**
 * A network: the built-in default; an architecture and a checkpoint (safetensors, .pt, .pth, .th); or an architecture
 * with random weights, to train from scratch.
 */
export type ModelSource =
  | { kind: 'builtin' }
  | { kind: 'file'; arch: NetworkOptions; file: UserFile }
  | { kind: 'random'; arch: NetworkOptions; seed: number };

/** Reads a file of public/. */
export type ReadAsset = (name: string) => Promise<ArrayBuffer>;

export interface LoadedNetwork {
  /** the file's name, for messages */
  file: string;
  architecture: Architecture;
  classes: number;
  checkpoint: WeightsFile;
}

/**
 * Loads a network and checks its weights against the architecture.
 * @throws UserError that names the file and what is wrong with it
 */
export async function loadNetwork(source: ModelSource, asset: ReadAsset): Promise<LoadedNetwork> {
  if (source.kind === 'random') return randomNetwork(source.arch, source.seed);
  const { path, blob, options } =
    source.kind === 'builtin'
      ? { path: BUILTIN_WEIGHTS, blob: new Blob([await asset(BUILTIN_WEIGHTS)]), options: BUILTIN_NETWORK }
      : { ...source.file, options: source.arch };
  const file = path;
  const checkpoint = await readWeights({ path, blob });
  const classes = options.classes ?? classesOf(checkpoint, file);
  const { arch, ...rest } = options;
  const model = architecture(arch, { ...rest, classes });
  // before any image is read; state dicts do not depend on the image size, and 224 is large enough for every network
  checkState(describe(model, [224, 224]), checkpoint.tensors, file);
  return { file, classes, checkpoint, architecture: model };
}

function randomNetwork({ arch, ...rest }: NetworkOptions, seed: number): LoadedNetwork {
  if (rest.classes === undefined)
    throw new UserError(`${arch} has no weights to tell its classes from: say how many there are.`);
  const model = architecture(arch, { ...rest, classes: rest.classes });
  const state = initialState(describe(model, [224, 224]), seed);
  const tensors = new Map(
    [...state].map(([name, { shape, data }]) => [
      name,
      { dtype: 'F32' as const, shape, data: Float32Array.from(data as ArrayLike<number>) },
    ]),
  );
  return {
    file: arch,
    classes: rest.classes,
    architecture: model,
    checkpoint: { tensors, metadata: new Map(), format: 'safetensors', prefix: '' },
  };
}

/** The classifier is the last matrix of a state dict. */
export function classesOf({ tensors }: WeightsFile, file: string): number {
  const matrices = [...tensors.values()].filter((t) => t.shape.length === 2);
  const last = matrices.at(-1);
  if (!last)
    throw new UserError(
      `${file} has no classifier (no matrix among its tensors): say how many classes the network has.`,
    );
  return last.shape[0];
}

export interface LoadOptions {
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

export async function loadData(source: DataSource, options: LoadOptions): Promise<LabelledImages> {
  if (source.kind === 'builtin') {
    const all = BUILTIN_COUNT[source.split];
    return generateBuiltin({ split: source.split, count: Math.min(options.limit || all, all) });
  }
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
export function checkClasses(network: LoadedNetwork, images: LabelledImages): void {
  if (network.classes === images.classes.length) return;
  throw new UserError(
    `${network.file} tells ${network.classes} classes apart, the images have ${images.classes.length} (${images.classes.slice(0, 5).join(', ')}${images.classes.length > 5 ? ', ...' : ''}): use images of the network's own classes.`,
  );
}
