import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pick } from '../../../src/data/pick';
import { selectBalanced } from '../../../src/data/select';
import { stratifiedSplit } from '../../../src/data/split';
import type { LabelledImages } from '../../../src/data/types';
import { bytesOf } from './helpers';

/** Images of 1 x 2 pixels that hold their own index in every byte; labels repeat 0, 1, 2. */
function numbered(count: number): LabelledImages {
  return {
    pixels: Uint8Array.from({ length: count * 6 }, (_, i) => Math.floor(i / 6)),
    labels: Uint16Array.from({ length: count }, (_, i) => i % 3),
    count,
    height: 1,
    width: 2,
    classes: ['a', 'b', 'c'],
  };
}

/** The indices of images made by `numbered`; fails where bytes or labels of an image do not belong together. */
function indices(set: LabelledImages): number[] {
  const { labels, count } = set;
  const pixels = bytesOf(set);
  expect(pixels.length).toBe(count * 6);
  expect(labels.length).toBe(count);
  return Array.from({ length: count }, (_, n) => {
    const bytes = [...pixels.subarray(n * 6, n * 6 + 6)];
    expect(new Set(bytes).size).toBe(1);
    expect(labels[n]).toBe(bytes[0] % 3);
    return bytes[0];
  });
}

/** Digests of images that are all different. */
const different = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

describe('holding images out', () => {
  test('a fraction of each class, and no image is in both parts', () => {
    const shapes = fc.tuple(
      fc.array(fc.nat(4), { minLength: 1, maxLength: 80 }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      fc.nat(),
    );
    fc.assert(
      fc.property(shapes, ([labels, fraction, seed]) => {
        const { train, held } = stratifiedSplit(labels, different(labels.length), fraction, seed);
        expect([...train, ...held].sort((a, b) => a - b)).toEqual([...labels.keys()]);
        for (const label of new Set(labels)) {
          const all = labels.filter((each) => each === label).length;
          const out = held.filter((i) => labels[i] === label).length;
          expect(out).toBe(Math.min(all - 1, Math.max(1, Math.round(all * fraction))));
        }
      }),
    );
  });

  test('an image with many copies stays with the training images, whatever the seed', () => {
    const digests = [...new Array<string>(13).fill('many'), 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const labels = digests.map(() => 0);
    for (let seed = 0; seed < 20; seed++) {
      const { held } = stratifiedSplit(labels, digests, 0.2, seed);
      expect(held.map((i) => digests[i])).not.toContain('many');
      expect(held).toHaveLength(4);
      // where there is nothing smaller, the least goes
      expect(
        stratifiedSplit(labels.slice(0, 15), [...digests.slice(0, 13), 'b', 'b'], 0.01, seed).held,
      ).toEqual([13, 14]);
    }
  });

  test('equal images stay on one side, and an image and its copy are no two', () => {
    // two classes of 8 pictures, each there three times; a third class that is one picture
    const labels = Array.from({ length: 51 }, (_, i) => (i < 48 ? (i >> 3) % 2 : 2));
    const digests = labels.map((label, i) => (label === 2 ? 'z' : `${label} ${i % 8}`));
    for (let seed = 0; seed < 20; seed++) {
      const { train, held } = stratifiedSplit(labels, digests, 0.3, seed);
      const trained = new Set(train.map((i) => digests[i]));
      expect(held.filter((i) => trained.has(digests[i]))).toEqual([]);
      expect([...new Set(held.map((i) => labels[i]))].sort()).toEqual([0, 1]);
      expect(held).toHaveLength(18);
    }
  });

  test('depends on the seed alone, ascending', () => {
    const labels = Array.from({ length: 100 }, (_, i) => i % 3);
    const held = (seed: number) => stratifiedSplit(labels, different(100), 0.1, seed).held;
    expect(held(1)).toEqual(held(1));
    expect(held(2)).not.toEqual(held(1));
    expect(held(3)).toEqual([...held(3)].sort((a, b) => a - b));
    // as earlier runs held out: their accuracies stay comparable
    expect(held(3)).toEqual([14, 18, 19, 31, 59, 63, 75, 85, 98]);
  });

  test('images are picked with their labels, paths and pixels', () => {
    const part = pick({ ...numbered(60), paths: different(60) }, [3, 50, 7]);
    expect(indices(part)).toEqual([3, 50, 7]);
    expect(part).toMatchObject({ height: 1, width: 2, classes: ['a', 'b', 'c'], paths: ['3', '50', '7'] });
  });
});

describe('selecting evenly over the classes', () => {
  const counts = (chosen: number[], labels: number[]) =>
    chosen.reduce(
      (seen, i) => seen.set(labels[i], (seen.get(labels[i]) ?? 0) + 1),
      new Map<number, number>(),
    );

  test('gives so many different images, ascending, the classes as even as they allow', () => {
    const labels = fc.array(fc.nat(4), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(labels, fc.integer({ min: 1, max: 70 }), fc.nat(), (all, limit, seed) => {
        const chosen = selectBalanced(all, limit, seed);
        expect(chosen).toHaveLength(Math.min(limit, all.length));
        chosen.forEach((i, n) => {
          expect(n === 0 || chosen[n - 1] < i).toBe(true);
          expect(all[i]).toBeDefined();
        });
        const there = counts([...all.keys()], all);
        const got = counts(chosen, all);
        const most = Math.max(...got.values());
        // a class has fewer than the fullest, by more than one, only where it has no more
        for (const [label, count] of there)
          expect(got.get(label) ?? 0).toBeGreaterThanOrEqual(Math.min(count, most - 1));
      }),
    );
  });

  test('all without a limit', () => {
    expect(selectBalanced([1, 0, 1], 0, 9)).toEqual([0, 1, 2]);
  });

  test('which ones depends on the seed', () => {
    const labels = Array.from({ length: 90 }, (_, i) => i % 3);
    expect(selectBalanced(labels, 12, 1)).toEqual(selectBalanced(labels, 12, 1));
    expect(selectBalanced(labels, 12, 2)).not.toEqual(selectBalanced(labels, 12, 1));
    expect(selectBalanced(labels, 12, 1)).toEqual([5, 9, 15, 16, 18, 24, 50, 68, 70, 71, 79, 88]);
  });
});
