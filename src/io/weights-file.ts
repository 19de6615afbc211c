import { bytesOf, type NamedBlob } from './blob';
import { explainAsync, FormatError, nameFile, Refusal } from './format-error';
import { kindOf, START } from './kind';
import { commonPrefix } from './prefix';
import { memoryLimit, openPyTorchStream, openPyTorchZip } from './pytorch';
import { openSafetensors, writeSafetensors } from './safetensors';
import type { StateCopy } from './state-copy';
import type { StateDict } from './tensor';
import { openZip } from './zip';

/** A file of weights, opened: what it holds, before any element is read. */
export interface OpenedWeights {
  /** its name, for messages */
  file: string;
  format: 'safetensors' | 'pytorch-zip' | 'pytorch-legacy';
  /** safetensors' `__metadata__` */
  metadata: Map<string, string>;
  /** every state dict in it, the likeliest first: those that were trained before those that were averaged */
  copies: StateCopy[];
}

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
 * Opens a file of weights, whichever of the supported formats its content has. Its elements are read later, by
 * `StateCopy.read`. Throws a UserError that names the file if it is none of them, is damaged, or holds no tensor.
 */
export function openWeights(file: NamedBlob): Promise<OpenedWeights> {
  return nameFile(file.path, () => openFile(file));
}

async function openFile({ path, blob }: NamedBlob): Promise<OpenedWeights> {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const kind = kindOf({ bytes: await bytesOf(blob, 0, START), name });
  const opened =
    kind === 'safetensors'
      ? { ...(await openSafetensors(blob, path)), format: 'safetensors' as const }
      : kind === 'zip'
        ? await openArchive(path, blob)
        : { ...(await openPyTorchStream(blob, path)), format: 'pytorch-legacy' as const };
  if (opened.copies.every(({ entries }) => entries.size === 0)) {
    throw new Refusal('holds no tensor; export the network again');
  }
  return { file: path, ...opened };
}

async function openArchive(path: string, blob: Blob): Promise<Omit<OpenedWeights, 'file'>> {
  const advice = 'save it again with torch.save(model.state_dict(), path)';
  return explainAsync(`${path} is not a PyTorch checkpoint that can be read`, advice, async () => {
    const zip = await openZip(blob, memoryLimit(blob.size));
    const pickles = zip.names.filter((name) => /(^|\/)data\.pkl$/.test(name));
    if (pickles.length !== 1)
      throw new FormatError(`it holds ${pickles.length} files data.pkl, one is expected`);
    const folder = pickles[0].slice(0, -'data.pkl'.length);
    if (zip.names.includes(`${folder}constants.pkl`)) {
      throw new FormatError('it is a TorchScript program, which holds code, and not a state dict');
    }
    return { ...(await openPyTorchZip(blob, path, zip, folder)), format: 'pytorch-zip' };
  });
}

/**
 * Reads the likeliest state dict of a file, without the prefix that all its names share.
 * @throws UserError as `openWeights` and `StateCopy.read` do
 */
export async function readWeights(file: NamedBlob): Promise<WeightsFile> {
  const opened = await openWeights(file);
  const [copy] = opened.copies;
  return readCopy(opened, copy, commonPrefix(copy.entries.keys()));
}

/** Reads the tensors of a copy whose names begin with `prefix`, and takes it off. */
export async function readCopy(opened: OpenedWeights, copy: StateCopy, prefix: string): Promise<WeightsFile> {
  const names = [...copy.entries.keys()].filter((name) => name.startsWith(prefix));
  const read = await copy.read(new Set(names));
  const tensors = new Map([...read].map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  return { tensors, metadata: opened.metadata, format: opened.format, prefix };
}

/**
 * A file with new weights as safetensors: the input file's keys, prefix, order and shapes, floats as f32;
 * what the network does not know (counters) is carried over as it was.
 */
export function writeWeights(original: WeightsFile, state: StateDict): Uint8Array<ArrayBuffer> {
  const tensors: StateDict = new Map();
  for (const [name, old] of original.tensors) {
    const fresh = state.get(name);
    tensors.set(
      original.prefix + name,
      fresh
        ? { dtype: 'F32', shape: old.shape, data: Float32Array.from(fresh.data as ArrayLike<number>) }
        : old,
    );
  }
  return writeSafetensors(tensors, original.metadata);
}
