import { FormatError } from '../format-error';

const MAX_LINE = 4096;

/** The bytes end before what they promise; a longer part of the file may hold it. */
export class EndOfBytes extends FormatError {}

/** Reads little-endian fields one after the other; going past the end is a FormatError. */
export class ByteReader {
  protected readonly view: DataView;

  constructor(
    protected readonly bytes: Uint8Array,
    /** offset of the next byte */
    public at: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves on by `count` bytes and returns where they begin. */
  protected skip(count: number): number {
    const begin = this.at;
    if (count > this.bytes.length - begin) throw new EndOfBytes('it ends in the middle of its pickle');
    this.at += count;
    return begin;
  }

  protected take(count: number): Uint8Array {
    const begin = this.skip(count);
    return this.bytes.subarray(begin, begin + count);
  }

  protected u8(): number {
    return this.view.getUint8(this.skip(1));
  }

  protected u32(): number {
    return this.view.getUint32(this.skip(4), true);
  }

  protected u64(): number {
    return Number(this.view.getBigUint64(this.skip(8), true));
  }

  protected utf8(length: number): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.take(length));
  }

  /** Text up to the end of the line; `latin1`: each byte a character of its own. */
  protected line(encoding: 'utf-8' | 'latin1' = 'utf-8'): string {
    const end = this.bytes.subarray(this.at, this.at + MAX_LINE).indexOf(10);
    if (end < 0) {
      const Cause = this.bytes.length - this.at < MAX_LINE ? EndOfBytes : FormatError;
      throw new Cause('it has a line without an end');
    }
    const line = encoding === 'latin1' ? String.fromCharCode(...this.take(end)) : this.utf8(end);
    this.at++;
    return line;
  }
}
