import { bytesOf } from '../blob';
import { FormatError, quote } from '../format-error';
import { bytesIn } from '../state-copy';
import { DTYPE_BYTES, decodeElements, type StateTensor } from '../tensor';
import type { StorageRef, TensorRef } from './globals';

/** The storages of a checkpoint. */
export interface Storages {
  /** The bytes that the file has of it. Throws a FormatError if it lacks it. */
  size(ref: StorageRef): number;
  /** Its content, not yet read. */
  open(ref: StorageRef): Promise<Blob>;
}

/**
 * Checks that tensors lie inside their storages and take at most `maxBytes` together: a stride of 0 makes any size out
 * of one element. Throws a FormatError.
 */
export function checkTensors(
  refs: ReadonlyMap<string, TensorRef>,
  storages: Storages,
  maxBytes: number,
): void {
  let budget = maxBytes;
  for (const [name, ref] of refs) {
    budget -= bytesIn(ref);
    if (!(budget >= 0))
      throw new FormatError(`its tensors grow beyond the ${maxBytes} bytes that its size allows`);
    if (ref.shape.includes(0)) continue;
    const { storage } = ref;
    const size = storages.size(storage);
    if (size < storage.bytes) throw new FormatError(`its storage ${quote(storage.key)} is cut off`);
    const end = (storage.offset + storage.length) * storage.type.elementBytes;
    if (!(rangeOf(ref).end <= end))
      throw new FormatError(`tensor ${quote(name)} reaches beyond its storage ${quote(storage.key)}`);
  }
}

/** Reads a tensor that was checked, dense and row-major whatever its strides. */
export async function readTensor(ref: TensorRef, storages: Storages): Promise<StateTensor> {
  const { dtype, shape } = ref;
  if (shape.includes(0)) return { dtype, shape, data: decodeElements(new Uint8Array(), dtype) };
  const { begin, end } = rangeOf(ref);
  const raw = await bytesOf(await storages.open(ref.storage), begin, end);
  if (raw.length < end - begin) throw new FormatError(`its storage ${quote(ref.storage.key)} is cut off`);
  return { dtype, shape, data: decodeElements(gather(raw, ref), dtype) };
}

/** From a tensor's first element to its last, in bytes of the whole storage. */
function rangeOf({ dtype, storage, shape, stride, offset }: TensorRef): { begin: number; end: number } {
  const size = DTYPE_BYTES[dtype];
  const last = shape.reduce((sum, extent, i) => sum + (extent - 1) * stride[i], offset);
  const base = storage.offset * storage.type.elementBytes;
  return { begin: base + offset * size, end: base + (last + 1) * size };
}

/** Copies strided elements into row-major order; a tensor that is so already is not copied. */
function gather(bytes: Uint8Array, { shape, stride, dtype }: TensorRef): Uint8Array {
  let dense = 1;
  let contiguous = true;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] > 1 && stride[d] !== dense) contiguous = false;
    dense *= shape[d];
  }
  if (contiguous) return bytes;
  const size = DTYPE_BYTES[dtype];
  const out = new Uint8Array(dense * size);
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
