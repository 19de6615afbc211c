import { UserError } from '../errors';
import { quote } from './format-error';
import { isZip, readPyTorch } from './pytorch';
import { readSafetensors, writeSafetensors } from './safetensors';
import type { StateDict, WeightsFile } from './tensor';

/** What DataParallel and torch.compile put before every name. */
const PREFIXES = ['module.', '_orig_mod.'];

/**
 * Reads the weights in a file, whichever of the supported formats its content has, and takes off the prefix that
 * all names share. Throws a UserError that names `file` if it is none of them, is damaged, would run code, holds
 * no tensor, or holds a float that is NaN or infinite.
 */
export function readWeights(bytes: Uint8Array, file: string): WeightsFile {
  if (bytes.length === 0) throw new UserError(`${file} is empty; download it or export it again.`);
  const read = isSafetensors(bytes, file)
    ? { ...readSafetensors(bytes, file), format: 'safetensors' as const }
    : { ...readPyTorch(bytes, file), metadata: new Map<string, string>() };
  if (read.tensors.size === 0) throw new UserError(`${file} holds no tensor; export the network again.`);
  checkFinite(read.tensors, file);
  return { ...read, ...stripPrefixes(read.tensors) };
}

/** The header's `{` follows its length; the name decides only which reader explains a damaged file. */
function isSafetensors(bytes: Uint8Array, file: string): boolean {
  return !isZip(bytes) && (bytes[8] === 0x7b || /\.safetensors$/i.test(file));
}

function stripPrefixes(tensors: StateDict): Pick<WeightsFile, 'tensors' | 'prefix'> {
  for (const prefix of PREFIXES) {
    const all = [...tensors];
    if (!all.every(([name]) => name.startsWith(prefix) && name.length > prefix.length)) continue;
    const rest = stripPrefixes(new Map(all.map(([name, tensor]) => [name.slice(prefix.length), tensor])));
    return { tensors: rest.tensors, prefix: prefix + rest.prefix };
  }
  return { tensors, prefix: '' };
}

function checkFinite(tensors: StateDict, file: string): void {
  for (const [name, { data }] of tensors) {
    if (!(data instanceof Float32Array)) continue;
    const at = data.findIndex((value) => !Number.isFinite(value));
    if (at < 0) continue;
    throw new UserError(
      `${file}: tensor ${quote(name)} holds ${data[at]} at element ${at}; use a checkpoint from before its training failed.`,
    );
  }
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
