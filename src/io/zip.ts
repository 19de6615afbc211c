import { Inflate } from 'fflate';
import { bytesOf } from './blob';
import { crc32 } from './crc32';
import { FormatError, quote } from './format-error';
import { decodeNames, type RawName } from './zip-names';

/** A zip archive of which only the directory is in memory. */
export interface Zip {
  names: string[];
  /** What names that are not said to be UTF-8 were read as; absent where there are none. */
  codePage?: string;
  /** The size in bytes that an entry claims; `open` holds it to that. */
  size(name: string): number;
  /** An entry's content: a part of the archive, not yet read, if stored, else inflated. Throws a FormatError. */
  open(name: string): Promise<Blob>;
  /** The bytes of it. */
  read(name: string): Promise<Uint8Array<ArrayBuffer>>;
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
/** Compression methods by their numbers, where the number alone says little. */
const METHODS: Record<number, string> = {
  1: 'Shrink',
  6: 'Implode',
  9: 'Deflate64',
  12: 'bzip2',
  14: 'LZMA',
  93: 'Zstandard',
  95: 'XZ',
  98: 'PPMd',
  99: 'AES encryption',
};
/** Room for two million entries. */
const MAX_DIRECTORY = 2 ** 28;
/** Inflating in slices lets a bomb be stopped at most 16 MiB (1,032 times a slice) after it passes its size. */
const SLICE = 16 * 1024;

/**
 * Opens a zip archive (APPNOTE 6.3.9: stored and deflated entries, zip64). All `open` and `read` calls together inflate
 * at most `maxInflated` bytes, counted on what comes out. Throws a FormatError.
 */
export async function openZip(blob: Blob, maxInflated: number): Promise<Zip> {
  const { entries, codePage } = await readDirectory(blob);
  let budget = maxInflated;
  const open = async (name: string): Promise<Blob> => {
    const entry = entries.get(name);
    if (!entry) throw new FormatError(`it lacks ${quote(name)}`);
    const packed = await packedPart(blob, name, entry);
    if (entry.method === 0) return packed;
    budget -= entry.size;
    if (budget < 0)
      throw new FormatError(`it unpacks to more than the ${maxInflated} bytes that its size allows`);
    return new Blob([inflate(await bytesOf(packed), entry.size, name)]);
  };
  return {
    names: [...entries.keys()],
    codePage,
    size: (name) => entries.get(name)?.size ?? 0,
    open,
    read: async (name) => bytesOf(await open(name)),
  };
}

/** An entry's bytes as they lie in the archive. */
async function packedPart(blob: Blob, name: string, { header, packed }: Entry): Promise<Blob> {
  const local = await viewOf(blob, header, header + 30);
  if (local.byteLength < 30 || local.getUint32(0, true) !== LOCAL) {
    throw new FormatError(`its directory points to a wrong place for ${quote(name)}`);
  }
  const begin = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (begin + packed > blob.size)
    throw new FormatError(`its entry ${quote(name)} reaches beyond the end of the file`);
  return blob.slice(begin, begin + packed);
}

function inflate(packed: Uint8Array, size: number, name: string): Uint8Array<ArrayBuffer> {
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

async function readDirectory(blob: Blob): Promise<{ entries: Map<string, Entry>; codePage?: string }> {
  const { count: total, at: start, end } = await findDirectory(blob);
  if (end - start > MAX_DIRECTORY) throw new FormatError('its directory is damaged');
  const bytes = await bytesOf(blob, start, end);
  const view = new DataView(bytes.buffer);
  const places: number[] = [];
  const raw: RawName[] = [];
  for (let at = 0; places.length < total; ) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== CENTRAL)
      throw new FormatError('its directory is damaged');
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > view.byteLength) throw new FormatError('its directory is damaged');
    places.push(at);
    const isUtf8 = (view.getUint16(at + 8, true) & 0x800) !== 0;
    const name = bytes.subarray(at + 46, nameEnd);
    raw.push({ bytes: name, isUtf8, unicode: unicodePath(view, nameEnd, extraEnd, name) });
    at = next;
  }
  const entries = new Map<string, Entry>();
  const { names, codePage } = decodeNames(raw);
  for (const [i, name] of names.entries()) {
    if (entries.has(name)) throw new FormatError(`its entry ${quote(name)} is there twice`);
    entries.set(name, readEntry(view, places[i], name));
  }
  return { entries, codePage };
}

/** An entry of the directory at that place. */
function readEntry(view: DataView, at: number, name: string): Entry {
  const method = view.getUint16(at + 10, true);
  if (view.getUint16(at + 8, true) & 1) throw new FormatError(`its entry ${quote(name)} is encrypted`);
  if (method !== 0 && method !== 8) {
    const known = METHODS[method];
    throw new FormatError(
      `its entry ${quote(name)} is packed by ${known ? `${known} (method ${method})` : `compression method ${method}`}, and only Deflate is read`,
    );
  }
  const nameEnd = at + 46 + view.getUint16(at + 28, true);
  const [size, packed, header] = sizes(view, at, nameEnd, view.getUint16(at + 30, true));
  if (method === 0 && size !== packed)
    throw new FormatError(`its entry ${quote(name)} is stored in two sizes`);
  return { method, packed, size, header };
}

/** Info-ZIP's Unicode path (id 0x7075): version 1, checksum of the plain name, the name in UTF-8. */
function unicodePath(view: DataView, begin: number, end: number, name: Uint8Array): string | undefined {
  for (let at = begin; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    const length = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) !== 0x7075 || length < 5 || at + 4 + length > end) continue;
    const isOurs = view.getUint8(at + 4) === 1 && view.getUint32(at + 5, true) === crc32(name);
    if (isOurs) return new TextDecoder().decode(new Uint8Array(view.buffer, at + 9, length - 5));
  }
  return undefined;
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

/** Where the directory is, from the end record that stands after it and perhaps before a comment. */
async function findDirectory(blob: Blob): Promise<{ count: number; at: number; end: number }> {
  // with the longest comment there can be, and the zip64 locator before the record
  const start = Math.max(0, blob.size - 22 - 0xffff - 20);
  const tail = await viewOf(blob, start, blob.size);
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END) continue;
    const locator = at - 20;
    if (locator >= 0 && tail.getUint32(locator, true) === END64_LOCATOR) {
      const end64 = u64(tail, locator + 8);
      const record = await viewOf(blob, end64, end64 + 56);
      if (record.byteLength < 56 || record.getUint32(0, true) !== END64) {
        throw new FormatError('its directory is damaged');
      }
      return { count: u64(record, 32), at: u64(record, 48), end: end64 };
    }
    return { count: tail.getUint16(at + 10, true), at: tail.getUint32(at + 16, true), end: start + at };
  }
  throw new FormatError('its end is missing, so it was probably cut off');
}

async function viewOf(blob: Blob, begin: number, end: number): Promise<DataView> {
  return new DataView((await bytesOf(blob, begin, end)).buffer);
}

function u64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}
