/** The entropy-coded data of a JPEG's scans: bits, and the tables of their Huffman codes. */
import { ImageError } from './format';

export const damaged = () => new ImageError('the JPEG is damaged');

/** Codes of a length follow each other; so do their symbols. */
export interface HuffmanTable {
  /** by length, 1 to 16: how many codes there are, the first of them, and where its symbol stands */
  counts: number[];
  first: number[];
  start: number[];
  symbols: Uint8Array;
}

/** Keys: 0x00 to 0x03 for mean values, 0x10 to 0x13 for the rest. */
export function readTables(segment: Uint8Array, tables: Map<number, HuffmanTable>): void {
  for (let at = 0; at + 17 <= segment.length; ) {
    const counts = [0, ...segment.subarray(at + 1, at + 17)];
    const first = [0];
    const start = [0];
    for (let length = 1, code = 0, symbol = 0; length <= 16; length++) {
      code <<= 1;
      first.push(code);
      start.push(symbol);
      code += counts[length];
      symbol += counts[length];
    }
    const total = counts.reduce((sum, count) => sum + count, 0);
    tables.set(segment[at], { counts, first, start, symbols: segment.subarray(at + 17, at + 17 + total) });
    at += 17 + total;
  }
}

/** The place of the next marker that is neither a restart nor a stuffed zero. */
export function endOfData(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const code = bytes[at + 1];
    if (code !== 0 && code !== 0xff && (code < 0xd0 || code > 0xd7)) return at;
  }
  throw new ImageError('the JPEG is cut off');
}

/** Bits of a scan's data, without the zeros stuffed behind bytes of ones. */
export class BitReader {
  private left = 0;
  private byte = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
  ) {}

  bit(): number {
    if (this.left === 0) {
      this.byte = this.bytes[this.at++];
      if (this.byte === undefined) throw new ImageError('the JPEG is cut off');
      // a marker: the data ended too early
      if (this.byte === 0xff && this.bytes[this.at++] !== 0) throw damaged();
      this.left = 8;
    }
    return (this.byte >> --this.left) & 1;
  }

  /** Passes over a restart marker, whose code it returns. */
  restart(): number {
    this.left = 0;
    const [first, code] = this.bytes.subarray(this.at);
    if (first !== 0xff || code < 0xd0 || code > 0xd7) throw damaged();
    this.at += 2;
    return code;
  }

  end(): number {
    return this.at;
  }
}
