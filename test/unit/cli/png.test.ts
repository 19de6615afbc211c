import { expect, test } from 'vitest';
import { contactSheet, pngOf } from '../../../src/cli/png';
import { decodeImage } from '../../../src/data/images/decode';

const images = Uint8Array.from({ length: 5 * 18 }, (_, i) => i);

test('a PNG holds the pixels that it is made of', async () => {
  const decoded = await decodeImage(new Uint8Array(pngOf(images.subarray(0, 18), 3, 2)));
  expect(decoded).toMatchObject({ width: 3, height: 2 });
  expect([...decoded.pixels]).toEqual([...images.subarray(0, 18)]);
});

test('a sheet has images row by row, white between them', () => {
  const sheet = contactSheet(images, { width: 3, height: 2, count: 5 });
  expect(sheet).toMatchObject({ width: 11, height: 5 });
  const at = (x: number, y: number) => sheet.pixels[(y * 11 + x) * 3];
  expect([at(0, 0), at(4, 0), at(8, 1), at(0, 3), at(6, 4)]).toEqual([0, 18, 36 + 9, 54, 72 + 9 + 6]);
  expect([at(3, 0), at(0, 2), at(8, 3)]).toEqual([255, 255, 255]);
});
