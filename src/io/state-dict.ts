import { FormatError, quote } from './format-error';
import type { PickleValue } from './pickle';
import { type StorageRef, TensorRef } from './pytorch-globals';
import type { StateDict } from './tensor';
import { DTYPE_BYTES, decodeElements } from './tensor';

/** Where training scripts put the weights, the likeliest first. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model', 'net', 'network', 'module', 'params'];

/**
 * The tensors of the state dict in `root`: of what stands under one of WRAPPERS, down to two levels, else of
 * `root` itself. So an optimiser beside the weights is left alone, and so is a `best_acc` that is a tensor.
 */
export function findStateDict(root: PickleValue): Map<string, TensorRef> {
  const found = search(root, 2);
  if (found) return found;
  const keys = root instanceof Map ? [...root.keys()].slice(0, 8).map((key) => quote(String(key))) : [];
  throw new FormatError(`it holds no tensors by name${keys.length > 0 ? `, only ${keys.join(', ')}` : ''}`);
}

function search(value: PickleValue | undefined, depth: number): Map<string, TensorRef> | undefined {
  if (!(value instanceof Map)) return undefined;
  for (const key of depth > 0 ? WRAPPERS : []) {
    const found = search(value.get(key), depth - 1);
    if (found) return found;
  }
  const tensors = new Map<string, TensorRef>();
  for (const [key, item] of value)
    if (typeof key === 'string' && item instanceof TensorRef) tensors.set(key, item);
  return tensors.size > 0 ? tensors : undefined;
}

/**
 * Reads the elements of `refs` out of their storages, dense and row-major whatever their strides. `storage` gives
 * a whole storage's bytes. All together may take `maxBytes`: a stride of 0 makes any size out of one element.
 */
export function readTensors(
  refs: Map<string, TensorRef>,
  storage: (ref: StorageRef) => Uint8Array,
  maxBytes: number,
): StateDict {
  let budget = maxBytes;
  const tensors = new Map();
  for (const [name, ref] of refs) {
    const size = DTYPE_BYTES[ref.dtype];
    const count = ref.shape.reduce((product, extent) => product * extent, 1);
    budget -= count * size;
    if (!(budget >= 0))
      throw new FormatError(`its tensors grow beyond the ${maxBytes} bytes that its size allows`);
    const raw = count === 0 ? new Uint8Array() : gather(elementsOf(name, ref, storage), ref, count, size);
    tensors.set(name, { dtype: ref.dtype, shape: ref.shape, data: decodeElements(raw, ref.dtype) });
  }
  return tensors;
}

/** The bytes from a tensor's first element to its last. */
function elementsOf(name: string, ref: TensorRef, storage: (ref: StorageRef) => Uint8Array): Uint8Array {
  const { dtype, offset, length } = ref.storage;
  const whole = storage(ref.storage);
  const begin = offset * DTYPE_BYTES[dtype];
  const available = Math.min(begin + length * DTYPE_BYTES[dtype], whole.length);
  const size = DTYPE_BYTES[ref.dtype];
  const last = ref.shape.reduce((sum, extent, i) => sum + (extent - 1) * ref.stride[i], ref.offset);
  if (!(begin + (last + 1) * size <= available)) {
    throw new FormatError(`tensor ${quote(name)} reaches beyond its storage ${quote(ref.storage.key)}`);
  }
  return whole.subarray(begin + ref.offset * size, begin + (last + 1) * size);
}

/** Copies strided elements of `size` bytes into row-major order; a tensor that is so already is not copied. */
function gather(bytes: Uint8Array, { shape, stride }: TensorRef, count: number, size: number): Uint8Array {
  let dense = 1;
  let contiguous = true;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] > 1 && stride[d] !== dense) contiguous = false;
    dense *= shape[d];
  }
  if (contiguous) return bytes;
  const out = new Uint8Array(count * size);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += size) {
    for (let b = 0; b < size; b++) out[to + b] = bytes[from * size + b];
    for (let d = shape.length - 1; d >= 0; d--) {
      from += stride[d];
      if (++index[d] < shape[d]) break;
      from -= stride[d] * shape[d];
      index[d] = 0;
    }
  }
  return out;
}
