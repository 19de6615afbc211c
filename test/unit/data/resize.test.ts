import { describe, expect, test } from 'vitest';
import { resizeAndCrop, resizeBilinear } from '../../../src/data/images/resize';
import expected from '../../fixtures/images/expected.json';

const { width, height } = expected;
const source = new Uint8Array(Buffer.from(expected.decoded['rgb.png'], 'base64'));
const resized: Record<string, string> = expected.resized;

describe('resizeBilinear gives the bytes of Pillow', () => {
  test.each(Object.keys(resized))('%s', (size) => {
    const [outWidth, outHeight] = size.split('x').map(Number);
    const out = resizeBilinear(source, width, height, outWidth, outHeight);
    expect(Buffer.from(out).equals(Buffer.from(resized[size], 'base64'))).toBe(true);
  });
});

describe('resizeAndCrop', () => {
  test('scales the shorter side and keeps the middle', () => {
    const whole = resizeBilinear(source, width, height, 16, 10);
    const out = resizeAndCrop(source, width, height, 10, 10);
    for (let y = 0; y < 10; y++) {
      const want = whole.subarray((y * 16 + 3) * 3, (y * 16 + 13) * 3);
      expect(out.subarray(y * 30, (y + 1) * 30)).toEqual(want);
    }
  });

  test('covers what is no square too', () => {
    const whole = resizeBilinear(source, width, height, 12, 7);
    const out = resizeAndCrop(source, width, height, 12, 4);
    // 3 rows too many: round(1.5) is 2 for Python
    expect(out).toEqual(whole.slice(2 * 12 * 3, 6 * 12 * 3));
    expect(resizeAndCrop(source, width, height, 3, 26).length).toBe(3 * 26 * 3);
  });

  test('leaves an image of the right size alone', () => {
    const square = source.slice(0, 9 * 9 * 3);
    expect(resizeAndCrop(square, 9, 9, 9, 9)).toEqual(square);
  });
});
