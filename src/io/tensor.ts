import { bfloat16ToFloat, floatToBfloat16, floatToHalf, halfToFloat } from './half';

/** Bytes an element, in the order of the safetensors crate's `Dtype`: the writer puts wide ones first. */
export const DTYPE_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

/** An element type by its safetensors name, whichever format the tensor came from. */
export type Dtype = keyof typeof DTYPE_BYTES;

/** Elements as they are kept in memory: every float type as f32, integers exactly, booleans as 0 and 1. */
export type TensorData =
  | Float32Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

/** What a file says of a tensor before its elements are read. */
export interface TensorInfo {
  /** the type in the file */
  dtype: Dtype;
  /** PyTorch's */
  shape: number[];
}

/** An entry of a state dict, dense and row-major; `data` is a Float32Array for F64, F32, F16 and BF16. */
export interface StateTensor extends TensorInfo {
  data: TensorData;
}

/** A state dict: PyTorch's keys, in its order. */
export type StateDict = Map<string, StateTensor>;

/** A tensor of f32 numbers. */
export const floats = (shape: readonly number[], data: ArrayLike<number>): StateTensor => ({
  dtype: 'F32',
  shape: [...shape],
  data: data instanceof Float32Array ? (data as Float32Array<ArrayBuffer>) : Float32Array.from(data),
});

/**
 * Turns little-endian elements into numbers. `raw` holds a whole number of elements; the result owns its memory.
 * Typed arrays are read as they lie: every machine that runs WebGPU or Node 20 is little-endian.
 */
export function decodeElements(raw: Uint8Array, dtype: Dtype): TensorData {
  const buffer = new Uint8Array(raw).buffer; // aligned, and the file's memory can go
  // `map` and not `from`, which goes by an iterator and takes four times as long
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F64':
      return new Float32Array(new Float64Array(buffer));
    case 'F16':
      return new Float32Array(new Uint16Array(buffer)).map(halfToFloat);
    case 'BF16':
      return new Float32Array(new Uint16Array(buffer)).map(bfloat16ToFloat);
    case 'I64':
      return new BigInt64Array(buffer);
    case 'U64':
      return new BigUint64Array(buffer);
    case 'I32':
      return new Int32Array(buffer);
    case 'U32':
      return new Uint32Array(buffer);
    case 'I16':
      return new Int16Array(buffer);
    case 'U16':
      return new Uint16Array(buffer);
    case 'I8':
      return new Int8Array(buffer);
    case 'U8':
    case 'BOOL':
      return new Uint8Array(buffer);
  }
}

/**
 * The little-endian elements of `data` in a file: floats rounded to `dtype`, ties to even, and beyond f16's 65,504 to
 * infinity; integers as they are, so `dtype` must be theirs.
 */
export function encodeElements(data: TensorData, dtype: Dtype): Uint8Array<ArrayBuffer> {
  const elements = data instanceof Float32Array ? roundTo(data, dtype) : data;
  return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
}

function roundTo(data: Float32Array<ArrayBuffer>, dtype: Dtype) {
  if (dtype === 'F64') return new Float64Array(data);
  if (dtype === 'F16') return new Uint16Array(data.map(floatToHalf));
  if (dtype === 'BF16') return new Uint16Array(data.map(floatToBfloat16));
  return data;
}
