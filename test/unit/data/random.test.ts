import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/data/random';

const draw = (random: Random, count: number) => Array.from({ length: count }, () => random.uint32());

describe('a stream of random numbers', () => {
  test('is named by its keys, all of them, in their order', () => {
    const streams = [[], [0], [1], [1, 2], [2, 1], [1, 2, 3]].map((keys) =>
      draw(new Random(...keys), 4).join(),
    );
    expect(new Set(streams).size).toBe(6);
    expect(draw(new Random(1, 2), 4).join()).toBe(streams[3]);
  });

  // the built-in images and every choice by a seed hang on these
  test('has the numbers that it always had', () => {
    const random = new Random(7, 1);
    expect([random.uint32(), random.uint32()]).toEqual([3177518284, 3318256663]);
    expect(random.uniform()).toBe(0.12699345545843244);
    expect(random.uniform(-2, 6)).toBe(2.894852275028825);
    expect(random.index(10)).toBe(3);
    expect(random.direction()).toEqual([-0.9023500942880683, -0.43100383680231213]);
    expect(random.shuffle([0, 1, 2, 3, 4, 5, 6, 7])).toEqual([1, 2, 3, 0, 4, 7, 6, 5]);
  });

  test('is uniform', () => {
    const random = new Random(3);
    const numbers = Array.from({ length: 20_000 }, () => random.uniform(2, 5));
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...numbers)).toBeLessThan(5);
    const mean = numbers.reduce((a, b) => a + b) / numbers.length;
    // six deviations of the mean of so many
    expect(Math.abs(mean - 3.5)).toBeLessThan((6 * Math.sqrt(9 / 12)) / Math.sqrt(20_000));
    const counts = new Array(6).fill(0);
    for (let i = 0; i < 12_000; i++) counts[random.index(6)]++;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(6 * Math.sqrt(12_000 * (5 / 36)));
    const hits = Array.from({ length: 10_000 }, () => random.chance(0.3)).filter(Boolean).length;
    expect(Math.abs(hits - 3000)).toBeLessThan(6 * Math.sqrt(10_000 * 0.21));
  });

  test('gives directions of length 1, all around', () => {
    const random = new Random(4);
    const quadrants = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const [x, y] = random.direction();
      expect(Math.hypot(x, y)).toBeCloseTo(1, 12);
      quadrants.add(`${x > 0} ${y > 0}`);
    }
    expect(quadrants.size).toBe(4);
  });

  test('shuffles in place, and every item may come to every place', () => {
    const places = Array.from({ length: 4 }, () => new Set<number>());
    for (let seed = 0; seed < 100; seed++) {
      const items = [0, 1, 2, 3];
      expect(new Random(seed).shuffle(items)).toBe(items);
      expect([...items].sort()).toEqual([0, 1, 2, 3]);
      items.forEach((item, place) => void places[place].add(item));
    }
    expect(places.map((seen) => seen.size)).toEqual([4, 4, 4, 4]);
  });
});
