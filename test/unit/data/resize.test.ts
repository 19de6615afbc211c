import { describe, expect, test } from 'vitest';
import { aroundCrop, resize, resizeAndCrop } from '../../../src/data/images/resize';
import type { Resizing } from '../../../src/data/types';
import expected from '../../fixtures/images/expected.json';

const { width, height } = expected;
const source = new Uint8Array(Buffer.from(expected.decoded['rgb.png'], 'base64'));
const resized: Record<string, string[]> = expected.resized;

describe('resize gives the bytes of Pillow', () => {
  test.each(Object.keys(resized))('%s', (size) => {
    const [outWidth, outHeight] = size.split('x').map(Number);
    const out = { width: outWidth, height: outHeight };
    const [bilinear, bicubic] = resized[size].map((text) => Buffer.from(text, 'base64'));
    expect(bilinear.equals(resize(source, { width, height }, out))).toBe(true);
    expect(bicubic.equals(resize(source, { width, height }, out, 'bicubic'))).toBe(true);
  });
});

describe('resizeAndCrop', () => {
  test('scales the shorter side and keeps the middle', () => {
    const whole = resize(source, { width, height }, { width: 16, height: 10 });
    const out = resizeAndCrop(source, { width, height }, { width: 10, height: 10 });
    for (let y = 0; y < 10; y++) {
      const want = whole.subarray((y * 16 + 3) * 3, (y * 16 + 13) * 3);
      expect(out.subarray(y * 30, (y + 1) * 30)).toEqual(want);
    }
  });

  test('covers what is no square too', () => {
    const whole = resize(source, { width, height }, { width: 12, height: 7 });
    const out = resizeAndCrop(source, { width, height }, { width: 12, height: 4 });
    // 3 rows too many: round(1.5) is 2 for Python
    expect(out).toEqual(whole.slice(2 * 12 * 3, 6 * 12 * 3));
    expect(resizeAndCrop(source, { width, height }, { width: 3, height: 26 }).length).toBe(3 * 26 * 3);
  });

  test.each(expected.cropped)(
    "cuts $cropPct out as torchvision's Resize and CenterCrop do, $interpolation to $side, $cropMode",
    ({ side, cropPct, interpolation, cropMode, pixels }) => {
      const options = { cropPct, interpolation, cropMode } as Resizing;
      const out = resizeAndCrop(source, { width, height }, { width: side, height: side }, options);
      expect(Buffer.from(pixels, 'base64').equals(out)).toBe(true);
    },
  );

  test('of an image that is kept larger for crops, the middle is that of the whole', () => {
    // Resize(9), CenterCrop(6) of 11x9 begins at column 2, the middle 6 of the middle 9 at 3
    const options = { cropPct: 6 / 9 };
    for (const full of [9, 10, 11, 12, 13, 14, 15, 16, 17, 18]) {
      const image = source.slice(0, full * 9 * 3);
      const want = resizeAndCrop(image, { width: full, height: 9 }, { width: 6, height: 6 }, options);
      const { whole, crop } = aroundCrop({ width: 6, height: 6 }, options);
      const kept = resizeAndCrop(image, { width: full, height: 9 }, whole, {
        inner: { width: 6, height: 6 },
      });
      const rows = Array.from({ length: 6 }, (_, y) => {
        const start = ((crop.top + y) * whole.width + crop.left) * 3;
        return [...kept.subarray(start, start + 18)];
      });
      expect(rows.flat(), String(full)).toEqual([...want]);
    }
  });

  test('leaves an image of the right size alone', () => {
    const square = source.slice(0, 9 * 9 * 3);
    expect(resizeAndCrop(square, { width: 9, height: 9 }, { width: 9, height: 9 })).toEqual(square);
  });
});
