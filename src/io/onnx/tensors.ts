import { type TensorProto, TensorProto_DataLocation, TensorProto_DataType } from 'onnx-buf';
import { bytesOf, type NamedBlob, nameOf } from '../blob';
import { FormatError, quote } from '../format-error';
import { bfloat16ToFloat, halfToFloat } from '../half';
import { DTYPE_BYTES, type Dtype, decodeElements, type TensorData } from '../tensor';
import type { OnnxTensor } from './graph';

/** Element types by their number in the file. */
export const DTYPES: Partial<Record<number, Dtype>> = {
  [TensorProto_DataType.FLOAT]: 'F32',
  [TensorProto_DataType.DOUBLE]: 'F64',
  [TensorProto_DataType.FLOAT16]: 'F16',
  [TensorProto_DataType.BFLOAT16]: 'BF16',
  [TensorProto_DataType.INT64]: 'I64',
  [TensorProto_DataType.UINT64]: 'U64',
  [TensorProto_DataType.INT32]: 'I32',
  [TensorProto_DataType.UINT32]: 'U32',
  [TensorProto_DataType.INT16]: 'I16',
  [TensorProto_DataType.UINT16]: 'U16',
  [TensorProto_DataType.INT8]: 'I8',
  [TensorProto_DataType.UINT8]: 'U8',
  [TensorProto_DataType.BOOL]: 'BOOL',
};

/** The number of an element type in the file. */
export const numberOf = (dtype: Dtype): number =>
  Number(Object.keys(DTYPES).find((number) => DTYPES[Number(number)] === dtype));

/** Elements of a tensor at most, bytes; a protocol buffer cannot hold more. */
const MAX_BYTES = 2 ** 31;

/**
 * The numbers of a tensor, wherever the file keeps them.
 * @param beside the files that came with the model: external data is taken from these alone
 * @throws FormatError on a type that is not read, on sizes that contradict each other, and on data that is not there
 */
export async function readTensor(tensor: TensorProto, beside: readonly NamedBlob[]): Promise<OnnxTensor> {
  const what = `tensor ${quote(tensor.name)}`;
  const dtype = DTYPES[tensor.dataType];
  if (!dtype)
    throw new FormatError(
      `${what} has elements of the type ${TensorProto_DataType[tensor.dataType] ?? tensor.dataType}, which is not read here`,
    );
  if (tensor.segment) throw new FormatError(`${what} is kept in segments, which no exporter writes any more`);
  const shape = tensor.dims.map((extent) => extentOf(extent, what));
  const count = shape.reduce((a, b) => a * b, 1);
  if (!(count * DTYPE_BYTES[dtype] <= MAX_BYTES)) throw new FormatError(`${what} is too large`);
  const data = await elementsOf(tensor, dtype, count, beside);
  return { dtype, shape, data };
}

function extentOf(extent: bigint, what: string): number {
  if (extent < 0n || extent > MAX_BYTES) throw new FormatError(`${what} has an extent of ${extent}`);
  return Number(extent);
}

async function elementsOf(
  tensor: TensorProto,
  dtype: Dtype,
  count: number,
  beside: readonly NamedBlob[],
): Promise<TensorData> {
  const bytes = count * DTYPE_BYTES[dtype];
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL)
    return decodeElements(await externalBytes(tensor, bytes, beside), dtype);
  // with no typed numbers at all it must be raw ones
  const typed = typedNumbers(tensor, dtype);
  if (tensor.rawData.length > 0 || (typed.length === 0 && count > 0)) {
    checkLength(tensor, tensor.rawData.length, bytes, 'bytes');
    return decodeElements(tensor.rawData, dtype);
  }
  checkLength(tensor, typed.length, count, 'numbers');
  return fromNumbers(typed, dtype);
}

function checkLength({ name }: TensorProto, found: number, wanted: number, unit: string): void {
  if (found !== wanted)
    throw new FormatError(`tensor ${quote(name)} has ${found} ${unit}, and its shape takes ${wanted}`);
}

function typedNumbers(tensor: TensorProto, dtype: Dtype): readonly (number | bigint)[] {
  if (dtype === 'F32') return tensor.floatData;
  if (dtype === 'F64') return tensor.doubleData;
  if (dtype === 'I64') return tensor.int64Data;
  return dtype === 'U64' || dtype === 'U32' ? tensor.uint64Data : tensor.int32Data;
}

function fromNumbers(numbers: readonly (number | bigint)[], dtype: Dtype): TensorData {
  switch (dtype) {
    case 'I64':
      return BigInt64Array.from(numbers as bigint[]);
    case 'U64':
      return BigUint64Array.from(numbers as bigint[]);
    case 'F16':
      return Float32Array.from(numbers, (bits) => halfToFloat(Number(bits) & 0xffff));
    case 'BF16':
      return Float32Array.from(numbers, (bits) => bfloat16ToFloat(Number(bits) & 0xffff));
    default:
      return new NUMBERS[dtype](Array.from(numbers, Number));
  }
}

const NUMBERS = {
  F32: Float32Array,
  F64: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

/** Names of the files beside a model that hold its tensors, as they must be given with it. */
export function externalFile({ name, externalData }: TensorProto): string {
  const location = externalData.find(({ key }) => key === 'location')?.value ?? '';
  const parts = location.split('/').filter((part) => part !== '.');
  // a file beside the model or below it, never above
  const isContained =
    location !== '' && !/[\\\0]/.test(location) && !/^[A-Za-z]:/.test(location) && !location.startsWith('/');
  if (!isContained || parts.some((part) => part === '..' || part === ''))
    throw new FormatError(
      `tensor ${quote(name)} is kept in ${quote(location)}, which is no file beside the model`,
    );
  return parts.join('/');
}

async function externalBytes(
  tensor: TensorProto,
  bytes: number,
  beside: readonly NamedBlob[],
): Promise<Uint8Array<ArrayBuffer>> {
  const path = externalFile(tensor);
  const file =
    beside.find((other) => other.path === path || other.path.endsWith(`/${path}`)) ??
    beside.find((other) => nameOf(other.path) === nameOf(path));
  if (!file)
    throw new FormatError(
      `tensor ${quote(tensor.name)} is kept in ${quote(path)}, which is not there: choose it together with the model`,
    );
  const [offset, length] = ['offset', 'length'].map((key) => {
    const value = tensor.externalData.find((entry) => entry.key === key)?.value;
    if (value !== undefined && !/^\d{1,15}$/.test(value))
      throw new FormatError(`tensor ${quote(tensor.name)} has a ${key} of ${quote(value)} in ${quote(path)}`);
    return value === undefined ? undefined : Number(value);
  });
  const begin = offset ?? 0;
  checkLength(tensor, length ?? bytes, bytes, 'bytes');
  if (begin + bytes > file.blob.size)
    throw new FormatError(
      `tensor ${quote(tensor.name)} ends at byte ${begin + bytes} of ${quote(path)}, which has ${file.blob.size}`,
    );
  return bytesOf(file.blob, begin, begin + bytes);
}
