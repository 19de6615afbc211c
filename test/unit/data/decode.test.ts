import { describe, expect, test, vi } from 'vitest';
import { decodeImage, readImageHeader } from '../../../src/data/images/decode';
import { ImageError } from '../../../src/data/images/format';
import { Random } from '../../../src/data/random';
import expected from '../../fixtures/images/expected.json';
import { fixture } from './helpers';

const decoded: Record<string, string> = expected.decoded;

/** How far a sample may be from the reference's; everywhere else the bytes are the same. */
function tolerance(name: string): number {
  if (name === 'alpha.avif') return 1;
  // libavif's own smoothing of chroma against libyuv's
  return name === 'lossy.avif' ? 8 : 0;
}

describe('decodeImage gives the bytes of Pillow (of libavif for AVIF)', () => {
  const names = Object.keys(decoded).filter((name) => name !== 'bilevel.tif');
  test.each(names)('%s', async (name) => {
    const { pixels, width, height } = await decodeImage(fixture(name));
    const size = [expected.width, expected.height];
    // Pillow turns a TIFF as its tag asks, and no other format
    if (name === 'turned.tif') size.reverse();
    if (name === 'part.webp') size.splice(0, 2, 23, 17);
    expect([width, height]).toEqual(size);
    const wanted = Buffer.from(decoded[name], 'base64');
    expect(pixels.length).toBe(wanted.length);
    const errors = wanted.map((value, i) => Math.abs(value - pixels[i]));
    expect(Math.max(...errors)).toBeLessThanOrEqual(tolerance(name));
  });
});

test("four components of another transform than Adobe's two are luma and chroma, as libjpeg takes them", async () => {
  const bytes = fixture('ycck.jpg');
  const marker = Buffer.from(bytes.buffer).indexOf('Adobe');
  expect(bytes[marker + 11]).toBe(2);
  bytes[marker + 11] = 1;
  expect(Buffer.from((await decodeImage(bytes)).pixels).toString('base64')).toBe(decoded['ycck.jpg']);
});

test('LZW through all widths of its codes', async () => {
  const { pixels } = await decodeImage(fixture('long.tif'));
  const wanted = Uint8Array.from({ length: 6400 }, (_, i) => {
    const [x, y] = [i % 80, Math.floor(i / 80)];
    return (x * x * 31 + y * 97 + x * y * 7) % 251;
  });
  expect(pixels.filter((_, i) => i % 3 === 0)).toEqual(wanted);
});

describe('upright', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'orientation %i is undone as by exif_transpose',
    async (orientation) => {
      const turned = await decodeImage(withOrientation(orientation), { upright: true });
      const { size, pixels } = expected.upright[orientation - 1];
      expect([turned.width, turned.height]).toEqual(size);
      expect(Buffer.from(turned.pixels).equals(Buffer.from(pixels, 'base64'))).toBe(true);
    },
  );

  test('PNG and WebP have it in chunks, AVIF as a property', async () => {
    for (const name of ['turned.png', 'turned.webp', 'turned.avif']) {
      expect(readImageHeader(fixture(name)).orientation).toBe(6);
      expect(await decodeImage(fixture(name), { upright: true })).toMatchObject({
        width: expected.height,
        height: expected.width,
      });
    }
  });
});

/** turned.jpg with another orientation: the last short of its only EXIF entry. */
function withOrientation(orientation: number): Uint8Array<ArrayBuffer> {
  const bytes = fixture('turned.jpg');
  const entry = Buffer.from(bytes).indexOf(Buffer.from([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6]));
  bytes[entry + 9] = orientation;
  return bytes;
}

/** A fixture with other bytes from a place on. */
function patched(name: string, at: number, ...values: number[]): Uint8Array<ArrayBuffer> {
  const bytes = fixture(name);
  bytes.set(values, at);
  return bytes;
}

const ascii = (text: string) => new TextEncoder().encode(text.padEnd(40));

describe('decodeImage refuses', () => {
  const png = fixture('rgb.png');
  const scans = Buffer.from(fixture('progressive.jpg'));
  const firstScan = scans.indexOf(Buffer.from([0xff, 0xda]));
  test.each<[string, Uint8Array<ArrayBuffer>, string]>([
    ['a changed byte in a PNG', patched('rgb.png', 60, png[60] ^ 1), 'checksum'],
    [
      '100,000 x 100,000 pixels, by the header of a PNG',
      patched('rgb.png', 16, 0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0),
      'megapixels',
    ],
    ['65,535 x 65,535 pixels of GIF', patched('rgb.gif', 6, 255, 255, 255, 255), 'megapixels'],
    ['2^30 x 2^30 pixels of BMP', patched('rgb.bmp', 18, 0, 0, 0, 0x40, 0, 0, 0, 0x40), 'megapixels'],
    [
      'a TIFF tile above the limit',
      patched('tiled.tif', tagAt('tiled.tif', 322) + 8, 0, 0, 0, 1),
      'tiles above',
    ],
    [
      'a JPEG of 300 scans',
      new Uint8Array(
        Buffer.concat([
          scans.subarray(0, firstScan),
          ...Array.from({ length: 300 }, () => scans.subarray(firstScan, firstScan + 14)),
          scans.subarray(firstScan),
        ]),
      ),
      'scans',
    ],
    ['a GIF without a picture', new Uint8Array([...fixture('rgb.gif').slice(0, 13 + 768), 0x3b]), 'the GIF'],
    ['a GIF frame beyond its canvas', patched('part.gif', 6, 12, 0, 9, 0), 'beyond its canvas'],
    ['fax compression', fixture('bilevel.tif'), 'fax compression'],
    [
      'floating-point TIFF',
      patched('rgb16.tif', tagAt('rgb16.tif', 258) + 4, 1, 0, 0, 0, 32, 0, 0, 0),
      '32 bits',
    ],
    ['HEIC', new Uint8Array([0, 0, 0, 24, ...ascii('ftypheic\0\0\0\0mif1heic')]), 'sips'],
    ['a video', new Uint8Array([0, 0, 0, 24, ...ascii('ftypmp42\0\0\0\0isommp42')]), 'video'],
    ['a web page', ascii('\n<!DOCTYPE html><html>'), 'web page'],
    ['a Git LFS pointer', ascii('version https://git-lfs.github.com/spec/v1'), 'git lfs pull'],
    ['SVG', ascii('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'SVG'],
    ['gzip', new Uint8Array([0x1f, 0x8b, 8, 0]), 'gzip'],
    ['JPEG XL', new Uint8Array([0xff, 0x0a, 0, 0]), 'JPEG XL'],
    ['JPEG XL in boxes', new Uint8Array([0, 0, 0, 12, ...ascii('JXL \r\n')]), 'JPEG XL'],
    ['JPEG 2000', new Uint8Array([0xff, 0x4f, 0xff, 0x51]), 'JPEG 2000'],
    ['JPEG 2000 in boxes', new Uint8Array([0, 0, 0, 12, ...ascii('jP  \r\n')]), 'JPEG 2000'],
    ['PSD', ascii('8BPS\0\x01'), 'PSD'],
    ['an icon', new Uint8Array([0, 0, 1, 0, 1, 0, 16, 16]), 'ICO'],
    ['a PDF', ascii('%PDF-1.7'), 'PDF'],
    ['a zip', ascii('PK\x03\x04'), 'a zip archive'],
    ['text PBM', ascii('P1\n1 1\n0'), 'PBM and text PPM'],
    ['text PPM', ascii('P3\n1 1\n255\n1 2 3'), 'text PPM'],
    ['text', ascii('not an image at all, whatever its name says'), 'no image that is read'],
    ['nothing', new Uint8Array(0), 'empty'],
  ])('%s', async (_, bytes, reason) => {
    await expect(decodeImage(bytes)).rejects.toThrow(
      expect.objectContaining({ name: 'ImageError', message: expect.stringContaining(reason) }),
    );
  });

  // one of each format and way of packing
  test.each([
    'plain.jpg',
    'cmyk.jpg',
    'rgb.png',
    'lossy.webp',
    'rgb.gif',
    'rgb.bmp',
    'palette8.bmp',
    'rle8.bmp',
    'raw.tif',
    'lzw.tif',
    'deflate.tif',
    'packbits.tif',
    'jpeg.tif',
    'planar.tif',
    'tiled.tif',
    'lossy.avif',
    'rgb.ppm',
  ])('%s without its end, or its second half', async (name) => {
    const bytes = fixture(name);
    for (const end of [bytes.length - 210, bytes.length >> 1, 20]) {
      await expect(decodeImage(bytes.slice(0, end))).rejects.toThrow(ImageError);
    }
  });

  test('a damaged JPEG, and decodes the next one all the same', async () => {
    const good = fixture('plain.jpg');
    const damaged = good.slice();
    // without quantisation tables: their markers become application segments
    for (let i = 0; i + 1 < damaged.length; i++) {
      if (damaged[i] === 0xff && damaged[i + 1] === 0xdb) damaged[i + 1] = 0xee;
    }
    await expect(decodeImage(damaged)).rejects.toThrow('damaged');
    const { pixels } = await decodeImage(good);
    expect(Buffer.from(pixels).equals(Buffer.from(decoded['plain.jpg'], 'base64'))).toBe(true);
  });
});

/** Place of a tag in the first directory of a little-endian TIFF. */
function tagAt(name: string, tag: number): number {
  const bytes = fixture(name);
  const view = new DataView(bytes.buffer);
  const first = view.getUint32(4, true);
  for (let i = 0; i < view.getUint16(first, true); i++) {
    if (view.getUint16(first + 2 + 12 * i, true) === tag) return first + 2 + 12 * i;
  }
  throw new Error(`${name} has no tag ${tag}`);
}

test('whatever is changed in a file, it decodes or is an ImageError', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.spyOn(console, 'log').mockImplementation(() => {});
  for (const name of [
    'ycck-quarter.jpg',
    'interlaced.png',
    'part.gif',
    'rle8.bmp',
    'fields32.bmp',
    'lzw.tif',
    'tiled.tif',
    'jpeg.tif',
    'hundred.ppm',
  ]) {
    for (let seed = 0; seed < 25; seed++) {
      const random = new Random(seed);
      const bytes = fixture(name);
      for (let k = 0; k <= seed % 5; k++)
        bytes[random.index(seed % 2 ? bytes.length : 120)] = random.index(256);
      await decodeImage(bytes).catch((error) =>
        expect(error, `${name}, seed ${seed}`).toBeInstanceOf(ImageError),
      );
    }
  }
});
