/** What reader and writer of PyTorch's files share; the writer comes with a page's first load, the reader with a first file. */
import type { Dtype } from '../tensor';

/** Where this library's own files keep what safetensors has as `__metadata__`. */
export const METADATA_ENTRY = 'refocus.json';

/** PyTorch's classes of typed storages, in its module `torch`. */
export const STORAGES: Record<string, Dtype> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/** The class of typed storages for a type, as PyTorch's `torch` has it; undefined where there is none. */
export function storageName(dtype: Dtype): string | undefined {
  return Object.keys(STORAGES).find((name) => STORAGES[name] === dtype);
}
