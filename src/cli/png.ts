import { crc32, deflateSync } from 'node:zlib';

/** A PNG of RGB bytes, `height * width * 3`, row by row. */
export function pngOf(rgb: Uint8Array, width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits, RGB, nothing interlaced
  header.set([8, 2, 0, 0, 0], 8);
  // each row begins with its filter: none
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y++)
    rows.set(rgb.subarray(y * width * 3, (y + 1) * width * 3), y * (1 + width * 3) + 1);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** Images of one size in rows, as square as they can be, with a white line between them. */
export function contactSheet(
  pixels: Uint8Array,
  { width, height, count }: { width: number; height: number; count: number },
): { pixels: Uint8Array; width: number; height: number } {
  const columns = Math.ceil(Math.sqrt(count));
  const size = { width: columns * (width + 1) - 1, height: Math.ceil(count / columns) * (height + 1) - 1 };
  const sheet = new Uint8Array(size.width * size.height * 3).fill(255);
  for (let i = 0; i < count; i++) {
    const left = (i % columns) * (width + 1);
    const top = Math.floor(i / columns) * (height + 1);
    for (let y = 0; y < height; y++) {
      const from = (i * height + y) * width * 3;
      sheet.set(pixels.subarray(from, from + width * 3), ((top + y) * size.width + left) * 3);
    }
  }
  return { pixels: sheet, ...size };
}
