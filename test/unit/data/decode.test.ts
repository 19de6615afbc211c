import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../../src/data/formats/decode';
import expected from '../../fixtures/images/expected.json';
import { fixture } from './helpers';

const decoded: Record<string, string> = expected.decoded;

describe('decodeImage gives the bytes of Pillow', () => {
  const names = Object.keys(decoded).filter((name) => name !== 'cmyk.jpg');
  test.each(names)('%s', async (name) => {
    const { pixels, width, height } = await decodeImage(fixture(name));
    expect([width, height]).toEqual([expected.width, expected.height]);
    expect(Buffer.from(pixels).equals(Buffer.from(decoded[name], 'base64'))).toBe(true);
  });
});

describe('decodeImage refuses', () => {
  const png = fixture('rgb.png');
  const huge = png.slice();
  new DataView(huge.buffer).setUint32(16, 100_000);
  new DataView(huge.buffer).setUint32(20, 100_000);
  const changed = png.slice();
  changed[60] ^= 1;
  test.each([
    ['CMYK', fixture('cmyk.jpg'), 'CMYK'],
    ['a cut-off JPEG', fixture('plain.jpg').slice(0, -20), 'cut off'],
    ['a cut-off PNG', png.slice(0, -20), 'cut off'],
    ['a cut-off WebP', fixture('lossy.webp').slice(0, -40), 'damaged'],
    ['a changed byte in a PNG', changed, 'checksum'],
    ['100,000 x 100,000 pixels, by the header alone', huge, 'megapixels'],
    ['text', new TextEncoder().encode('not an image at all, whatever its name says'), 'neither'],
    ['nothing', new Uint8Array(0), 'empty'],
  ])('%s', async (_, bytes, reason) => {
    await expect(decodeImage(bytes)).rejects.toThrow(reason);
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
