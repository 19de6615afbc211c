import { describe, expect, test } from 'vitest';
import { crc32 } from '../../../src/io/crc32';
import { openZip } from '../../../src/io/zip';
import { decodeNames } from '../../../src/io/zip-names';

/** Bytes in hexadecimal, as Python's str.encode gives them; plain text stands in quotes. */
function bytes(text: string): Uint8Array {
  return Uint8Array.from(
    text
      .split(' ')
      .flatMap((part) =>
        part.startsWith("'") ? [...Buffer.from(part.slice(1, -1))] : [Number.parseInt(part, 16)],
      ),
  );
}

const names = (...texts: string[]) => texts.map((text) => ({ bytes: bytes(text), isUtf8: false }));

describe('names that are not said to be UTF-8', () => {
  test.each<[string, string[], string[]]>([
    [
      'Shift-JIS',
      ["8c a2 '/1.png'", "92 b9 '/1.png'", "94 4c '/1.png'"],
      ['犬/1.png', '鳥/1.png', '猫/1.png'],
    ],
    [
      'Shift-JIS whose second byte is a backslash',
      ["83 5c '/1.png'", "8c a2 '/1.png'"],
      ['ソ/1.png', '犬/1.png'],
    ],
    ['Shift-JIS, one name', ["8c a2 '/1.png'"], ['犬/1.png']],
    ['katakana', ["83 6b 83 52 '/1.png'", "83 43 83 6b '/1.png'"], ['ヌコ/1.png', 'イヌ/1.png']],
    ['GBK', ["b9 b7 '/1.png'", "c3 a8 '/1.png'", "c4 f1 '/1.png'"], ['狗/1.png', '猫/1.png', '鸟/1.png']],
    [
      'CP437',
      ["8e 'pfel/1.png'", "'Birnen/1.png'", "81 'bung/1.png'"],
      ['Äpfel/1.png', 'Birnen/1.png', 'übung/1.png'],
    ],
    [
      'CP437, short words',
      ["'caf' 82 '/1.png'", "'stra' e1 'e/1.png'", "99 'l/1.png'"],
      ['café/1.png', 'straße/1.png', 'Öl/1.png'],
    ],
    ['UTF-8 without the flag', ["e7 8a ac '/1.png'", "c3 84 'pfel/1.png'"], ['犬/1.png', 'Äpfel/1.png']],
    ['what is nothing else stays apart as CP437', ['81 ff', '82 ff'], ['ü\u00a0', 'é\u00a0']],
  ])('%s', (_, raw, decoded) => {
    expect(decodeNames(names(...raw)).names).toEqual(decoded);
  });

  test('a code page that would merge two of them is not taken', () => {
    // one character to a decoder of Shift-JIS
    const [a, b] = decodeNames(names('87 90', '81 e0')).names;
    expect(a).not.toBe(b);
  });

  test('different bytes are different names, whatever they are', () => {
    const all = Array.from({ length: 128 * 128 }, (_, i) => ({
      bytes: Uint8Array.of(128 + (i >> 7), 128 + (i & 127)),
      isUtf8: false,
    }));
    expect(new Set(decodeNames(all).names).size).toBe(all.length);
  });
});

test('the flag and the Unicode path field are believed, a flag on other bytes is not', () => {
  const raw = [
    { bytes: bytes('c3 84'), isUtf8: true },
    { bytes: bytes("8e 'pfel'"), isUtf8: false, unicode: 'Apfel' },
    { bytes: bytes("8e 'pfel'"), isUtf8: true },
  ];
  expect(decodeNames(raw).names).toEqual(['Ä', 'Apfel', 'Äpfel']);
});

test('an archive with the Unicode path field', async () => {
  const path = Buffer.from('犬.txt');
  const field = Buffer.alloc(9);
  field.writeUInt16LE(0x7075, 0);
  field.writeUInt16LE(5 + path.length, 2);
  field.writeUInt8(1, 4);
  const archive = (checksum: number) => {
    field.writeUInt32LE(checksum, 5);
    return archiveOf(Buffer.from('__'), Buffer.concat([field, path]));
  };
  const checksum = crc32(Buffer.from('__'));
  expect((await openZip(archive(checksum), 100)).names).toEqual(['犬.txt']);
  // of another name, since renamed
  expect((await openZip(archive(checksum - 1), 100)).names).toEqual(['__']);
});

/** An archive of one empty, stored entry. */
function archiveOf(name: Buffer, extra: Buffer): Blob {
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(name.length, 28);
  central.writeUInt16LE(extra.length, 30);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(46 + name.length + extra.length, 12);
  end.writeUInt32LE(30 + name.length, 16);
  return new Blob([new Uint8Array(Buffer.concat([local, name, central, name, extra, end]))]);
}
