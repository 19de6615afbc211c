import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluationOrder, hash32, trainingOrder } from '../../../src/data/order';

describe('the order of an epoch', () => {
  test('goes over every image once', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(), fc.nat(1000), (count, seed, epoch) => {
        const order = [...trainingOrder(count, seed, epoch)];
        expect(order.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  test('is another in each epoch and for each seed, and the same for both', () => {
    const orders = [0, 1, 2].flatMap((seed) =>
      [0, 1, 2].map((epoch) => trainingOrder(40, seed, epoch).join()),
    );
    expect(new Set(orders).size).toBe(9);
    expect(trainingOrder(40, 2, 1).join()).toBe(orders[7]);
  });

  test('brings every image to every place equally often', () => {
    const count = 5;
    const seen = Array.from({ length: count }, () => new Array(count).fill(0));
    const epochs = 4000;
    for (let epoch = 0; epoch < epochs; epoch++) {
      trainingOrder(count, 1, epoch).forEach((image, place) => {
        seen[place][image]++;
      });
    }
    // six deviations of a binomial distribution
    const tolerance = 6 * Math.sqrt(epochs * 0.2 * 0.8);
    for (const times of seen.flat()) expect(Math.abs(times - epochs / count)).toBeLessThan(tolerance);
  });

  // a run repeats bit for bit only where the order does: a change here is a change of every run
  test('has the numbers that earlier runs had', () => {
    expect([...trainingOrder(12, 3, 1)]).toEqual([0, 5, 10, 8, 3, 1, 7, 4, 2, 6, 9, 11]);
    expect([...trainingOrder(12, 3, 2)]).toEqual([5, 2, 11, 1, 4, 0, 9, 7, 10, 3, 8, 6]);
    expect([hash32(), hash32(0), hash32(1, 2, 3), hash32(3, 2, 1)]).toEqual([
      2654435769, 2419168863, 1482411830, 527292331,
    ]);
  });
});

test('an evaluation takes the same order always, and not class by class', () => {
  const order = evaluationOrder(100);
  expect(evaluationOrder(100)).toEqual(order);
  expect(new Set(order).size).toBe(100);
  // of two classes that lie one after the other both are among the first images
  const first = order.subarray(0, 20).filter((i) => i < 50).length;
  expect(first).toBeGreaterThan(3);
  expect(first).toBeLessThan(17);
});
