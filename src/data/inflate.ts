import { Gunzip, Unzlib } from 'fflate';

/** Deflate grows a byte to at most 1,032: a slice never surprises us with more than 16 MiB. */
const SLICE = 16 * 1024;

/**
 * Decompresses zlib or gzip data, counting what really comes out. At most `limit` bytes: `onExcess` throws beyond.
 * Damaged or cut-off input throws fflate's error.
 */
export function inflateBounded(
  data: Uint8Array,
  format: 'zlib' | 'gzip',
  limit: number,
  onExcess: () => Error,
): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  const stream = new (format === 'zlib' ? Unzlib : Gunzip)((chunk) => {
    total += chunk.length;
    if (total <= limit) chunks.push(chunk);
  });
  for (let at = 0; at < data.length; at += SLICE) {
    stream.push(data.subarray(at, at + SLICE), at + SLICE >= data.length);
    if (total > limit) throw onExcess();
  }
  const out = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}
