import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { openZip } from '../../../src/io/zip';
import { readBytes } from './read-bytes';

const MIB = 2 ** 20;
const open = (archive: Uint8Array) => openZip(new Blob([archive as Uint8Array<ArrayBuffer>]), MIB);

/** Changes the directory entry of `name` (and nothing in the local header). */
function patch(
  archive: Uint8Array,
  name: string,
  change: (view: DataView, entry: number) => void,
): Uint8Array {
  const bytes = archive.slice();
  const entry = Buffer.from(bytes).lastIndexOf(name) - 46;
  change(new DataView(bytes.buffer), entry);
  return bytes;
}

const content = new TextEncoder().encode('to be or not to be, '.repeat(50));
const deflated = zipSync({ a: content, b: content }, { level: 9 });
const stored = zipSync({ a: content, b: content }, { level: 0 });

test('stored and deflated entries read alike', async () => {
  for (const archive of [stored, deflated]) {
    const zip = await open(archive);
    expect(zip.names).toEqual(['a', 'b']);
    expect(await zip.read('b')).toEqual(content);
  }
});

test.each([
  [1, 'Shrink (method 1)'],
  [6, 'Implode (method 6)'],
  [9, 'Deflate64 (method 9)'],
  [12, 'bzip2 (method 12)'],
  [14, 'LZMA (method 14)'],
  [93, 'Zstandard (method 93)'],
  [95, 'XZ (method 95)'],
  [98, 'PPMd (method 98)'],
  [99, 'AES encryption (method 99)'],
  [77, 'compression method 77'],
])('a packing that is not read has its name: %i', async (method, name) => {
  const archive = patch(stored, 'a', (v, at) => v.setUint16(at + 10, method, true));
  await expect(open(archive)).rejects.toThrow(`is packed by ${name}, and only Deflate is read`);
});

test('a comment after the directory is passed over', async () => {
  const bytes = new Uint8Array(stored.length + 5).fill(0x21);
  bytes.set(stored);
  new DataView(bytes.buffer).setUint16(stored.length - 2, 5, true);
  expect(await (await open(bytes)).read('a')).toEqual(content);
});

test('zip64: sizes and places of all ones come from the longer fields', async () => {
  const entry = Buffer.from(stored).lastIndexOf('PK\x01\x02'); // of b
  const old = new DataView(stored.buffer, entry);
  const extra = new DataView(new ArrayBuffer(28));
  extra.setUint16(0, 1, true);
  extra.setUint16(2, 24, true);
  [24, 20, 42].forEach((field, i) => {
    extra.setBigUint64(4 + 8 * i, BigInt(old.getUint32(field, true)), true);
  });
  const head = stored.slice(0, entry + 47);
  const view = new DataView(head.buffer);
  for (const field of [24, 20, 42]) view.setUint32(entry + field, 0xffffffff, true);
  view.setUint16(entry + 30, 28, true);
  const first = new DataView(stored.buffer, stored.length - 22).getUint32(16, true);
  const end64 = new DataView(new ArrayBuffer(56 + 20 + 22));
  end64.setUint32(0, 0x06064b50, true);
  end64.setBigUint64(32, 2n, true);
  end64.setBigUint64(48, BigInt(first), true);
  end64.setUint32(56, 0x07064b50, true);
  end64.setBigUint64(64, BigInt(head.length + 28), true);
  end64.setUint32(76, 0x06054b50, true);
  end64.setUint32(76 + 16, 0xffffffff, true);
  const archive = new Uint8Array(
    Buffer.concat([head, new Uint8Array(extra.buffer), new Uint8Array(end64.buffer)]),
  );
  expect(await (await open(archive)).read('b')).toEqual(content);
});

describe('bombs and lies', () => {
  const bomb = zipSync({ a: new Uint8Array(64 * MIB) }, { level: 9 });
  const cases: [string, Uint8Array, RegExp][] = [
    ['64 MiB out of 64 kB', bomb, /unpacks to more than the 1048576 bytes that its size allows/],
    [
      'a bomb that claims 1 kB',
      patch(bomb, 'a', (v, at) => v.setUint32(at + 24, 1024, true)),
      /more than the 1024 bytes it claims/,
    ],
    [
      'a claim of 1 MB more',
      patch(deflated, 'a', (v, at) => v.setUint32(at + 24, 1000000, true)),
      /more bytes than deflate can hold/,
    ],
    [
      'one byte less than claimed',
      patch(deflated, 'a', (v, at) => v.setUint32(at + 24, content.length + 1, true)),
      /unpacks to 1000 bytes, 1001/,
    ],
    [
      'packed size beyond the file',
      patch(stored, 'a', (v, at) => {
        v.setUint32(at + 20, 1e6, true);
        v.setUint32(at + 24, 1e6, true);
      }),
      /reaches beyond the end/,
    ],
    [
      'stored in two sizes',
      patch(stored, 'a', (v, at) => v.setUint32(at + 24, 5, true)),
      /stored in two sizes/,
    ],
    [
      'no local header there',
      patch(stored, 'a', (v, at) => v.setUint32(at + 42, 7, true)),
      /points to a wrong place/,
    ],
    [
      'local header beyond the file',
      patch(stored, 'a', (v, at) => v.setUint32(at + 42, 1e9, true)),
      /points to a wrong place/,
    ],
    ['encrypted', patch(stored, 'a', (v, at) => v.setUint16(at + 8, 1, true)), /encrypted/],
    [
      'another method',
      patch(stored, 'a', (v, at) => v.setUint16(at + 10, 12, true)),
      /packed by bzip2 \(method 12\)/,
    ],
    ['a name twice', patch(stored, 'b', (v, at) => v.setUint8(at + 46, 97)), /"a" is there twice/],
    [
      'damaged deflate',
      patch(deflated, 'a', (v, at) => v.setUint8(v.getUint32(at + 42, true) + 31, 7)),
      /is damaged/,
    ],
    ['cut off', stored.subarray(0, stored.length - 30), /end is missing/],
    [
      'more entries than there are',
      (() => {
        const b = stored.slice();
        b[b.length - 12] = 9;
        return b;
      })(),
      /directory is damaged/,
    ],
  ];
  test.each(cases)('%s', async (_, archive, message) => {
    await expect(open(archive).then((zip) => zip.read('a'))).rejects.toThrow(message);
  });

  test('the limit holds for all reads together', async () => {
    const pair = zipSync({ a: new Uint8Array(MIB - 100), b: new Uint8Array(200) }, { level: 9 });
    const zip = await open(pair);
    await zip.read('a');
    await expect(zip.read('b')).rejects.toThrow(/unpacks to more/);
  });

  test('a checkpoint whose pickle is a bomb is a UserError that names the file', async () => {
    const small = zipSync({ 'net/data.pkl': new Uint8Array(MIB) }, { level: 9 });
    const archive = patch(small, 'net/data.pkl', (v, at) => v.setUint32(at + 24, 300 * MIB, true));
    await expect(readBytes(archive, 'bomb.pt')).rejects.toThrow(
      expect.objectContaining({
        name: 'UserError',
        message: expect.stringMatching(/^bomb\.pt .* unpacks to more/),
      }),
    );
  });
});
