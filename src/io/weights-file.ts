import { UserError } from '../errors';
import type { OpenFiles } from './archive';
import { bytesOf, type NamedBlob, nameOf } from './blob';
import { nameFile, Refusal } from './format-error';
import { kindOf, START, type WeightsKind } from './kind';
import { commonPrefix } from './prefix';
import { openSafetensors } from './safetensors';
import { findShards, isIndex, joinShards, readIndex, siblings } from './shards';
import type { OpenedWeights } from './state-copy';
import type { StateDict } from './tensor';

/** A state dict that was read, and what it takes to write it as it came. */
export interface WeightsFile {
  /** in the file's order, names without `prefix` */
  tensors: StateDict;
  metadata: Map<string, string>;
  format: OpenedWeights['format'];
  /** what all names began with in the file (`module.`, `_orig_mod.`), or '' */
  prefix: string;
}

/**
 * Opens weights, whichever of the supported formats they have by content: one file (or a zip archive of one), shards with
 * or without their index, or a folder that has one such file among others. Elements are read later, by `StateCopy.read`.
 * Throws a UserError that names a file and what it is, where there are no weights, or they are damaged.
 */
export async function openWeights(...files: NamedBlob[]): Promise<OpenedWeights> {
  const visible = files.filter(
    ({ path }) => !path.endsWith('/') && !/(^|\/)(\.(?!\.?\/)|__MACOSX\/)/.test(path),
  );
  if (visible.length === 0)
    throw new UserError('There is no file of weights; choose a .safetensors or .pth file.');
  return openFiles(visible, openSelection);
}

/** Opens what lies in an archive of the user's. */
const openSelection = (files: NamedBlob[]) => openFiles(files);

/** @param openInside for what a zip archive holds */
async function openFiles(files: readonly NamedBlob[], openInside?: OpenFiles): Promise<OpenedWeights> {
  const index = files.find(isIndex);
  if (index) {
    const map = await readIndex(index);
    return openShards(index, files, [...new Set(map.values())], map);
  }
  const shard = files.find(siblings);
  if (shard) return openShards(shard, files, siblings(shard)!);
  if (files.length === 1) return openFile(files[0], openInside);
  if (files.some(({ path }) => nameOf(path) === 'data.pkl')) {
    const path = files[0].path.split('/')[0];
    const size = files.reduce((sum, { blob }) => sum + blob.size, 0);
    const { folderAsZip, openCheckpoint } = await import('./archive');
    return nameFile(path, () => openCheckpoint(path, size, folderAsZip(files)));
  }
  const models = files.filter(({ path }) => /\.onnx$/i.test(path));
  return openFile(models.length === 1 ? models[0] : await theOnlyWeights(files), openInside, files);
}

/** The one file among several that holds weights. */
async function theOnlyWeights(files: readonly NamedBlob[]): Promise<NamedBlob> {
  const found: NamedBlob[] = [];
  let refusal: unknown;
  for (const file of files) {
    try {
      await nameFile(file.path, () => kindOfFile(file));
      found.push(file);
    } catch (error) {
      refusal ??= error;
    }
  }
  if (found.length === 0) throw refusal;
  if (found.length === 1) return found[0];
  const names = found.slice(0, 4).map(({ path }) => path);
  throw new UserError(
    `There are ${found.length} files of weights (${names.join(', ')}${found.length > 4 ? ', ...' : ''}); choose one.`,
  );
}

async function openShards(
  start: NamedBlob,
  files: readonly NamedBlob[],
  names: string[],
  index?: Map<string, string>,
): Promise<OpenedWeights> {
  return nameFile(start.path, async () => {
    const shards = await Promise.all(findShards(files, names).map((shard) => openFile(shard)));
    return joinShards(start.path, shards, index);
  });
}

/** @param beside files that may hold parts of it */
function openFile(
  file: NamedBlob,
  openInside?: OpenFiles,
  beside?: readonly NamedBlob[],
): Promise<OpenedWeights> {
  return nameFile(file.path, async () => {
    const opened = await readers[await kindOfFile(file)](file, openInside, beside);
    // an ONNX graph may have its numbers in nodes, and says itself what is missing
    if (!opened.onnx && opened.copies.every(({ entries }) => entries.size === 0)) {
      throw new Refusal('holds no tensor; export the network again');
    }
    return opened;
  });
}

// The readers of pickles and archives come with the first file of their kind: most of a page's life passes without.
const readers: Record<
  WeightsKind,
  (file: NamedBlob, openInside?: OpenFiles, beside?: readonly NamedBlob[]) => Promise<OpenedWeights>
> = {
  onnx: async (file, _, beside = []) => {
    const { openOnnx } = await import('./onnx/open');
    return openOnnx(file, beside);
  },
  safetensors: async ({ path, blob }) => ({
    file: path,
    format: 'safetensors',
    ...(await openSafetensors(blob, path)),
  }),
  pickle: async ({ path, blob }) => {
    const { openPyTorchStream } = await import('./pytorch/checkpoint');
    return { file: path, format: 'pytorch-legacy', ...(await openPyTorchStream(blob, path)) };
  },
  zip: async (file, openInside) => {
    const { openArchive } = await import('./archive');
    return openArchive(file, openInside);
  },
};

async function kindOfFile({ path, blob }: NamedBlob): Promise<WeightsKind> {
  return kindOf({ bytes: await bytesOf(blob, 0, START), name: nameOf(path).toLowerCase() });
}

/**
 * Reads the likeliest state dict of a file, without the prefix that all its names share.
 * @throws UserError as `openWeights` and `StateCopy.read` do
 */
export async function readWeights(...files: NamedBlob[]): Promise<WeightsFile> {
  const { copies, metadata, format } = await openWeights(...files);
  const prefix = commonPrefix(copies[0].entries.keys());
  const read = await copies[0].read();
  const tensors = new Map([...read].map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  return { tensors, metadata, format, prefix };
}
