import { expect, test } from 'vitest';
import { type CorruptionName, corrupted, corruptions } from '../../../src/data/corruptions';
import type { ImagesInMemory } from '../../../src/data/types';

const SIDE = 16;

/** Two images: one gray, one half black and half white. */
const images: ImagesInMemory = {
  pixels: Uint8Array.from({ length: 2 * SIDE * SIDE * 3 }, (_, i) =>
    i < SIDE * SIDE * 3 ? 128 : Math.floor(i / 3) % SIDE < SIDE / 2 ? 0 : 255,
  ),
  labels: Uint16Array.of(0, 1),
  count: 2,
  height: SIDE,
  width: SIDE,
  classes: ['a', 'b'],
};

const of = (name: CorruptionName, level: number, seed = 0) => corrupted(images, name, level, seed).pixels;
const half = SIDE * SIDE * 3;

test('noise has no mean and the deviation that its strength says, and is another one for another seed', () => {
  corruptions.noise.strengths.slice(0, 3).forEach((strength, level) => {
    const gray = [...of('noise', level).subarray(0, half)];
    const mean = gray.reduce((a, b) => a + b, 0) / half;
    const deviation = Math.sqrt(gray.reduce((sum, v) => sum + (v - mean) ** 2, 0) / half);
    // what 768 numbers leave open, five deviations of it
    expect(Math.abs(mean - 128)).toBeLessThan((5 * 255 * strength) / Math.sqrt(half));
    expect(Math.abs(deviation / (255 * strength) - 1)).toBeLessThan(5 / Math.sqrt(2 * half));
  });
  expect(of('noise', 0)).toEqual(of('noise', 0));
  expect(of('noise', 0)).not.toEqual(of('noise', 0, 1));
  const [one, two] = [of('noise', 0).subarray(0, half), of('noise', 1).subarray(0, half)];
  expect(one).not.toEqual(two);
});

test('a blur leaves what is even, and makes an edge the integral of a Gaussian', () => {
  const blurred = of('blur', 4);
  expect(blurred.subarray(0, half)).toEqual(images.pixels.subarray(0, half));
  // 0.05 of 16 pixels: the normal distribution's shares at half a pixel, one and a half, ... from the edge
  const weights = [-3, -2, -1, 0, 1, 2, 3].map((d) => Math.exp(-(d ** 2) / (2 * 0.8 ** 2)));
  const total = weights.reduce((a, b) => a + b);
  const share = (reach: number) => weights.slice(7 - reach).reduce((a, b) => a + b, 0) / total;
  const row = [...blurred.subarray(half, half + SIDE * 3)].filter((_, i) => i % 3 === 0);
  // beyond its edges the image goes on as it ends
  expect([...row.slice(0, 4), ...row.slice(12)]).toEqual([0, 0, 0, 0, 255, 255, 255, 255]);
  expect(row.slice(4, 9)).toEqual([
    0,
    ...[1, 2, 3].map((reach) => Math.round(255 * share(reach))),
    Math.round(255 * share(4)),
  ]);
});

test('less contrast brings every value nearer to its channel’s mean', () => {
  const row = of('contrast', 1).subarray(half, half + SIDE * 3);
  expect(row[0]).toBe(64);
  expect(row[SIDE * 3 - 1]).toBe(191);
});

test('the set itself stays as it is, and each kind has five strengths', () => {
  const before = images.pixels.slice();
  for (const name of Object.keys(corruptions) as CorruptionName[]) {
    expect(corruptions[name].strengths).toHaveLength(5);
    expect(of(name, 2)).not.toEqual(before);
  }
  expect(images.pixels).toEqual(before);
});
