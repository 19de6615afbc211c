import { Inflate } from 'fflate';
import { FormatError, quote } from './format-error';

/** A zip archive in memory, read entry by entry. */
export interface Zip {
  names: string[];
  /** The size in bytes that an entry claims; `read` holds it to that. */
  size(name: string): number;
  /** An entry's bytes: a view of the archive if stored, else inflated. Throws a FormatError. */
  read(name: string): Uint8Array;
}

interface Entry {
  method: number;
  packed: number;
  size: number;
  header: number;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
/** Inflating in slices lets a bomb be stopped at most 16 MiB (1,032 times a slice) after it passes its size. */
const SLICE = 16 * 1024;

/**
 * Opens a zip archive (APPNOTE 6.3.9: stored and deflated entries, zip64). All `read` calls together inflate at
 * most `maxInflated` bytes, counted on what comes out. Throws a FormatError.
 */
export function openZip(bytes: Uint8Array, maxInflated: number): Zip {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = readDirectory(view, bytes);
  let budget = maxInflated;
  return {
    names: [...entries.keys()],
    size: (name) => entries.get(name)?.size ?? 0,
    read(name) {
      const entry = entries.get(name);
      if (!entry) throw new FormatError(`it lacks ${quote(name)}`);
      const packed = entryBytes(view, bytes, name, entry);
      if (entry.method === 0) return packed;
      budget -= entry.size;
      if (budget < 0)
        throw new FormatError(`it unpacks to more than the ${maxInflated} bytes that its size allows`);
      return inflate(packed, entry.size, name);
    },
  };
}

function entryBytes(view: DataView, bytes: Uint8Array, name: string, entry: Entry): Uint8Array {
  const { header, packed } = entry;
  if (header + 30 > bytes.length || view.getUint32(header, true) !== LOCAL) {
    throw new FormatError(`its directory points to a wrong place for ${quote(name)}`);
  }
  const begin = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
  if (begin + packed > bytes.length)
    throw new FormatError(`its entry ${quote(name)} reaches beyond the end of the file`);
  return bytes.subarray(begin, begin + packed);
}

function inflate(packed: Uint8Array, size: number, name: string): Uint8Array {
  const wrong = (what: string) => new FormatError(`its entry ${quote(name)} ${what}`);
  if (size > 1100 * packed.length) throw wrong('claims more bytes than deflate can hold');
  const out = new Uint8Array(size);
  let at = 0;
  let tooLong = false;
  const stream = new Inflate((chunk) => {
    if (at + chunk.length > size) tooLong = true;
    else out.set(chunk, at);
    at += chunk.length;
  });
  try {
    for (let i = 0; i < packed.length && !tooLong; i += SLICE) {
      stream.push(packed.subarray(i, i + SLICE), i + SLICE >= packed.length);
    }
  } catch {
    throw wrong('is damaged');
  }
  if (tooLong) throw wrong(`unpacks to more than the ${size} bytes it claims`);
  if (at < size) throw wrong(`unpacks to ${at} bytes, ${size} were claimed`);
  return out;
}

function readDirectory(view: DataView, bytes: Uint8Array): Map<string, Entry> {
  let { count, at } = findDirectory(view);
  const entries = new Map<string, Entry>();
  for (; count > 0; count--) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== CENTRAL)
      throw new FormatError('its directory is damaged');
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > view.byteLength) throw new FormatError('its directory is damaged');
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const method = view.getUint16(at + 10, true);
    if (view.getUint16(at + 8, true) & 1) throw new FormatError(`its entry ${quote(name)} is encrypted`);
    if (method !== 0 && method !== 8)
      throw new FormatError(`its entry ${quote(name)} uses compression method ${method}`);
    if (entries.has(name)) throw new FormatError(`its entry ${quote(name)} is there twice`);
    const [size, packed, header] = sizes(view, at, at + 46 + nameLength, extraLength);
    if (method === 0 && size !== packed)
      throw new FormatError(`its entry ${quote(name)} is stored in two sizes`);
    entries.set(name, { method, packed, size, header });
    at = next;
  }
  return entries;
}

/** Size, packed size and offset of the local header; those that are all ones come from the zip64 field (id 1). */
function sizes(view: DataView, at: number, extra: number, extraLength: number): number[] {
  const values = [24, 20, 42].map((offset) => view.getUint32(at + offset, true));
  if (!values.includes(0xffffffff)) return values;
  for (let field = extra; field + 4 <= extra + extraLength; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue;
    let from = field + 4;
    const end = Math.min(from + view.getUint16(field + 2, true), extra + extraLength);
    return values.map((value) => {
      if (value !== 0xffffffff) return value;
      if (from + 8 > end) throw new FormatError('its directory is damaged');
      from += 8;
      return u64(view, from - 8);
    });
  }
  return values;
}

function findDirectory(view: DataView): { count: number; at: number } {
  const lowest = Math.max(0, view.byteLength - 22 - 0xffff);
  for (let end = view.byteLength - 22; end >= lowest; end--) {
    if (view.getUint32(end, true) !== END) continue;
    const locator = end - 20;
    if (locator >= 0 && view.getUint32(locator, true) === END64_LOCATOR) {
      const end64 = u64(view, locator + 8);
      if (end64 + 56 > view.byteLength || view.getUint32(end64, true) !== END64) {
        throw new FormatError('its directory is damaged');
      }
      return { count: u64(view, end64 + 32), at: u64(view, end64 + 48) };
    }
    return { count: view.getUint16(end + 10, true), at: view.getUint32(end + 16, true) };
  }
  throw new FormatError('its end is missing, so it was probably cut off');
}

function u64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}
