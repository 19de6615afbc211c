/** New weights as the file that the old ones came from: its names, order, shapes and element types. */
import { quote } from './format-error';
import { writePyTorch } from './pytorch/write';
import { writeSafetensors } from './safetensors';
import { type Dtype, decodeElements, encodeElements, type StateDict, type StateTensor } from './tensor';
import type { WeightsFile } from './weights-file';

const FLOATS: readonly Dtype[] = ['F64', 'F32', 'F16', 'BF16'];

/**
 * The tensors of `original` under their names in the file, with the numbers of `state`, whose names lack the prefix.
 * Numbers take the file's float type as they are written; a tensor with a number beyond f16 becomes F32. What `state`
 * lacks (counters) stays as it was. A tensor of another size (a new head) comes in its own shape.
 */
export function restoreTensors({ tensors, prefix }: WeightsFile, state: StateDict): StateDict {
  const restored: StateDict = new Map();
  for (const [name, old] of tensors) {
    const fresh = state.get(name);
    restored.set(prefix + name, fresh ? restore(old, fresh) : old);
  }
  return restored;
}

function restore({ dtype, shape }: StateTensor, fresh: StateTensor): StateTensor {
  const data = Float32Array.from(fresh.data as ArrayLike<number>);
  // a linear layer may be stored as a convolution; another number of classes has another shape
  const same = product(shape) === product(fresh.shape);
  return {
    dtype: FLOATS.includes(dtype) && fits(data, dtype) ? dtype : 'F32',
    shape: same ? shape : fresh.shape,
    data,
  };
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Whether numbers stay finite as the type. */
function fits(data: Float32Array<ArrayBuffer>, dtype: Dtype): boolean {
  const written = decodeElements(encodeElements(data, dtype), dtype) as Float32Array;
  return written.every(Number.isFinite);
}

/**
 * A file with new weights: names, prefix, order and types of the input's, see `restoreTensors`, and its metadata with
 * `metadata` added.
 */
export function writeWeights(
  original: WeightsFile,
  state: StateDict,
  options: { format?: 'safetensors' | 'pth'; metadata?: ReadonlyMap<string, string> } = {},
): Uint8Array<ArrayBuffer> {
  const write = options.format === 'pth' ? writePyTorch : writeSafetensors;
  return write(restoreTensors(original, state), new Map([...original.metadata, ...(options.metadata ?? [])]));
}

/** A file's description with its floats as f32: what is written under it is not rounded. */
export function asFloat32(original: WeightsFile): WeightsFile {
  const tensors: StateDict = new Map();
  for (const [name, tensor] of original.tensors)
    tensors.set(name, FLOATS.includes(tensor.dtype) ? { ...tensor, dtype: 'F32' } : tensor);
  return { ...original, tensors };
}

/** One sentence on what the element types of a file mean for its numbers; undefined where all floats are f32. */
export function precisionNote(original: WeightsFile, state: StateDict): string | undefined {
  const trained = [...original.tensors].filter(
    ([name, { dtype }]) => state.has(name) && FLOATS.includes(dtype),
  );
  const types = [...new Set(trained.map(([, { dtype }]) => dtype))].filter((dtype) => dtype !== 'F32');
  if (types.length === 0) return undefined;
  const list = types.map((dtype) => dtype.toLowerCase()).join(' and ');
  const restored = restoreTensors(original, state);
  const wide = trained.filter(([name, { dtype }]) => restored.get(original.prefix + name)!.dtype !== dtype);
  const except = wide.length > 0 ? `; ${quote(wide[0][0])} has numbers beyond f16 and is written as f32` : '';
  return `The file's weights are ${list}: they are trained as f32 and written as ${list}, each number rounded to the nearest${except}.`;
}
