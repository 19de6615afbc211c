import { UserError } from '../errors';
import { bytesOf } from './blob';
import { explain, explainAsync, FormatError, quote } from './format-error';
import { type Json, parseStrictJson, stringMap } from './json';
import { type StateCopy, stateCopy } from './state-copy';
import {
  DTYPE_BYTES,
  type Dtype,
  decodeElements,
  encodeElements,
  type StateDict,
  type TensorData,
} from './tensor';

/** The crate's limit on the header, bytes. */
const MAX_HEADER = 100_000_000;
const METADATA = '__metadata__';

interface Entry {
  name: string;
  dtype: Dtype;
  shape: number[];
  begin: number;
  end: number;
}

/** What stands before the tensors' bytes. */
interface Header {
  entries: Entry[];
  metadata: Map<string, string>;
  /** where the tensors' bytes begin in the file */
  start: number;
}

/**
 * Opens a safetensors file by the rules of the Rust crate (github.com/huggingface/safetensors) and the two of its
 * format page that serde does not enforce (no key twice, header begins with `{`). Tensors come in the order of
 * their bytes. Throws a UserError that names `file` and what is wrong with it.
 */
export function openSafetensors(
  blob: Blob,
  file: string,
): Promise<{ copies: StateCopy[]; metadata: Map<string, string> }> {
  return explainAsync(...problem(file), async () => {
    const length = headerLength(await bytesOf(blob, 0, 9), blob.size);
    const { entries, metadata, start } = readHeader(await bytesOf(blob, 8, 8 + length), blob.size, file);
    const infos = new Map(entries.map((entry) => [entry.name, entry]));
    const copy = stateCopy(file, '', infos, async (name) => {
      const { dtype, shape, begin, end } = infos.get(name)!;
      const raw = await bytesOf(blob, start + begin, start + end);
      return { dtype, shape, data: decodeElements(raw, dtype) };
    });
    return { copies: [copy], metadata };
  });
}

/** Reads a whole safetensors file that is in memory, by the rules of `openSafetensors`. */
export function readSafetensors(
  bytes: Uint8Array,
  file: string,
): { tensors: StateDict; metadata: Map<string, string> } {
  return explain(...problem(file), () => {
    const length = headerLength(bytes, bytes.length);
    const { entries, metadata, start } = readHeader(bytes.subarray(8, 8 + length), bytes.length, file);
    const tensors: StateDict = new Map();
    for (const { name, dtype, shape, begin, end } of entries) {
      const data = decodeElements(bytes.subarray(start + begin, start + end), dtype);
      tensors.set(name, { dtype, shape, data });
    }
    return { tensors, metadata };
  });
}

function problem(file: string): [subject: string, advice: string] {
  return [`${file} is not a valid safetensors file`, 'download it or export it again'];
}

/** @param start the first nine bytes at least */
function headerLength(start: Uint8Array, size: number): number {
  if (size < 8) throw new FormatError(`it has ${size} bytes, and the header's length alone takes 8`);
  const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  if (length > MAX_HEADER)
    throw new FormatError(`its header claims ${length} bytes, the limit is ${MAX_HEADER}`);
  if (8 + Number(length) > size) {
    throw new FormatError(
      `its header claims ${length} bytes, but the file has only ${size - 8} after the length`,
    );
  }
  if (start[8] !== 0x7b || length === 0n) throw new FormatError('its header does not begin with {');
  return Number(length);
}

/** @param size the file's */
function readHeader(bytes: Uint8Array, size: number, file: string): Header {
  const json = parseStrictJson(decodeUtf8(bytes)) as Map<string, Json>;
  const metadata = stringMap(json.get(METADATA) ?? new Map(), METADATA);
  const entries = [...json]
    .filter(([name]) => name !== METADATA)
    .map(([name, info]) => readEntry(name, info, file));
  const start = 8 + bytes.length;
  checkLayout(entries, size - start);
  return { entries, metadata, start };
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FormatError('its header is not valid UTF-8');
  }
}

function readEntry(name: string, info: Json, file: string): Entry {
  if (!(info instanceof Map))
    throw new FormatError(`the header's entry of tensor ${quote(name)} is not an object`);
  const dtype = info.get('dtype');
  if (typeof dtype === 'string' && /^(F[468]_\w+|F4|C64)$/.test(dtype))
    throw new UserError(
      `${file} has a tensor ${quote(name)} of the type ${dtype}, which is not read: save it as float16 or float32.`,
    );
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BYTES, dtype)) {
    const known = Object.keys(DTYPE_BYTES).join(', ');
    throw new FormatError(`tensor ${quote(name)} has dtype ${quote(String(dtype))}, known are ${known}`);
  }
  const shape = integers(info.get('shape'), name, 'shape');
  const offsets = integers(info.get('data_offsets'), name, 'data_offsets');
  if (offsets.length !== 2)
    throw new FormatError(`data_offsets of tensor ${quote(name)} are not two numbers`);
  const [begin, end] = offsets;
  let size: number = DTYPE_BYTES[dtype as Dtype];
  for (const extent of shape) {
    size *= extent;
    if (!Number.isSafeInteger(size)) throw new FormatError(`the shape of tensor ${quote(name)} overflows`);
  }
  if (end - begin !== size) {
    throw new FormatError(
      `tensor ${quote(name)} needs ${size} bytes by shape and dtype, but its data_offsets [${begin}, ${end}] span ${end - begin}`,
    );
  }
  return { name, dtype: dtype as Dtype, shape, begin, end };
}

function integers(json: Json | undefined, name: string, field: string): number[] {
  if (!Array.isArray(json)) throw new FormatError(`tensor ${quote(name)} has no list ${field}`);
  return json.map((item) => {
    if (typeof item !== 'bigint') {
      throw new FormatError(`${field} of tensor ${quote(name)} holds something other than a whole number`);
    }
    if (item > Number.MAX_SAFE_INTEGER) throw new FormatError(`${field} of tensor ${quote(name)} overflows`);
    return Number(item);
  });
}

/** Sorts by offset, and checks that the tensors cover the data without hole, overlap or rest. */
function checkLayout(entries: Entry[], available: number): void {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== at) {
      const what = begin > at ? 'leaves a hole before it' : 'overlaps the one before it';
      throw new FormatError(
        `tensor ${quote(name)} begins at byte ${begin} and ${what}, byte ${at} was expected`,
      );
    }
    at = end;
  }
  if (at !== available) {
    throw new FormatError(`its tensors take ${at} bytes, but ${available} follow the header`);
  }
}

/**
 * Writes a safetensors file, each tensor in its `dtype` (absent: that of its array, F32 for floats), see
 * `encodeElements`. Wide types come first, as the Rust crate lays them, and within a type tensors keep their order; the
 * header is padded with spaces to 8 bytes, so that every tensor is aligned.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, { shape: number[]; data: TensorData; dtype?: Dtype }>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array<ArrayBuffer> {
  const parts = [...tensors].map(([name, { shape, data, dtype = dtypeOf(data) }]) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const raw = encodeElements(data, dtype);
    if (name === METADATA || raw.length !== size * DTYPE_BYTES[dtype]) {
      throw new TypeError(`cannot write ${quote(name)}: ${data.length} values as ${dtype}, shape [${shape}]`);
    }
    return { name, shape, dtype, raw };
  });
  const rank = Object.keys(DTYPE_BYTES);
  parts.sort((a, b) => rank.indexOf(b.dtype) - rank.indexOf(a.dtype));

  // Written by hand: an object would move numeric keys to the front and lose `__proto__`.
  const fields: string[] = [];
  if (metadata.size > 0) {
    const pairs = [...metadata].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    fields.push(`"${METADATA}":{${pairs.join(',')}}`);
  }
  let offset = 0;
  for (const { name, dtype, shape, raw } of parts) {
    const info = { dtype, shape, data_offsets: [offset, offset + raw.length] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
    offset += raw.length;
  }
  const header = new TextEncoder().encode(`{${fields.join(',')}}`);
  const headerLength = Math.ceil(header.length / 8) * 8;
  const out = new Uint8Array(8 + headerLength + offset).fill(0x20, 8, 8 + headerLength);
  new DataView(out.buffer).setBigUint64(0, BigInt(headerLength), true);
  out.set(header, 8);
  let at = 8 + headerLength;
  for (const { raw } of parts) {
    out.set(raw, at);
    at += raw.length;
  }
  return out;
}

function dtypeOf(data: TensorData): Dtype {
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof BigInt64Array) return 'I64';
  if (data instanceof BigUint64Array) return 'U64';
  const sign =
    data instanceof Int8Array || data instanceof Int16Array || data instanceof Int32Array ? 'I' : 'U';
  return `${sign}${(data.BYTES_PER_ELEMENT * 8) as 8 | 16 | 32}`;
}
