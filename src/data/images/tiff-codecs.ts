/**
 * Decompression of TIFF's strips and tiles, to at most `limit` bytes. Where the data ends early or makes no sense, so does
 * what comes out.
 */
export type Unpack = (data: Uint8Array, limit: number) => Uint8Array;

const CLEAR = 256;
const END = 257;
const ENTRIES = 4096;

/**
 * LZW as TIFF has it: codes of 9 to 12 bits, high bits first. Every entry of its table is a stretch of what was written
 * already: the string before, and the byte that followed it.
 */
export const unpackLzw: Unpack = (data, limit) => {
  const out = new Uint8Array(limit);
  const begin = new Int32Array(ENTRIES);
  const length = new Int32Array(ENTRIES);
  let [next, bits, written] = [END + 1, 9, 0];
  /** the string of the code before; none after a clearing one */
  let previous = { begin: 0, length: 0 };
  for (let position = 0; position + bits <= data.length * 8 && written < limit; ) {
    const code = codeAt(data, position, bits);
    position += bits;
    if (code === END) break;
    if (code === CLEAR) {
      [next, bits] = [END + 1, 9];
      previous = { begin: 0, length: 0 };
      continue;
    }
    if (previous.length > 0 && next < ENTRIES) {
      begin[next] = previous.begin;
      length[next] = previous.length + 1;
      next++;
    }
    if (code >= next) break;
    const from = written;
    if (code < CLEAR) out[written++] = code;
    // byte by byte: the stretch may reach into what is being written
    else for (let i = 0; i < length[code] && written < limit; i++) out[written++] = out[begin[code] + i];
    previous = { begin: from, length: written - from };
    // codes grow one entry before they must
    if (next + 1 >= 1 << bits && bits < 12) bits++;
  }
  return out.subarray(0, written);
};

function codeAt(data: Uint8Array, position: number, bits: number): number {
  const at = position >> 3;
  const window = (data[at] << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
  return (window >> (24 - (position & 7) - bits)) & ((1 << bits) - 1);
}

/** PackBits: a count, then so many bytes, or one byte to repeat. */
export const unpackBits: Unpack = (data, limit) => {
  const out = new Uint8Array(limit);
  let written = 0;
  for (let at = 0; at < data.length && written < limit; ) {
    const count = data[at++];
    if (count === 128) continue;
    const length = Math.min(count < 128 ? count + 1 : 257 - count, limit - written);
    if (count < 128) {
      const literal = data.subarray(at, at + length);
      out.set(literal, written);
      written += literal.length;
      at += count + 1;
    } else {
      if (at >= data.length) break;
      out.fill(data[at++], written, written + length);
      written += length;
    }
  }
  return out.subarray(0, written);
};

/** Undoes the horizontal predictor of a row: each sample is the difference to the pixel before. */
export function undoDifferences(row: Uint8Array, stride: number, bits: number, little: boolean): void {
  if (bits === 8) {
    for (let i = stride; i < row.length; i++) row[i] += row[i - stride];
    return;
  }
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  for (let i = stride * 2; i + 1 < row.length; i += 2) {
    view.setUint16(i, view.getUint16(i, little) + view.getUint16(i - stride * 2, little), little);
  }
}
