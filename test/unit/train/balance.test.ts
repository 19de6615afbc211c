import { describe, expect, test } from 'vitest';
import { balancedOrder } from '../../../src/data/order';
import { balanceSentence, classCounts, classWeights } from '../../../src/train/balance';
import { Trainer } from '../../../src/train/trainer';
import { fakeGpu } from '../fake-gpu';
import { fakeNetwork, tinyTraining } from '../fake-network';

/** So many images of each class, one class after the other. */
const setOf = (...counts: number[]) => ({
  labels: Uint16Array.from(counts.flatMap((count, label) => new Array<number>(count).fill(label))),
  classes: counts.map((_, label) => 'abcdefg'[label]),
});

describe('weights of classes', () => {
  test('are inverse to the images of each, with a mean of 1 over the images', () => {
    const images = setOf(2, 10, 4, 0);
    const weights = classWeights(images);
    expect(weights).toEqual([16 / 6, 16 / 30, 16 / 12, 0]);
    const sum = [...images.labels].reduce((total, label) => total + weights[label], 0);
    expect(sum / 16).toBeCloseTo(1, 12);
    expect(classWeights(setOf(5, 5))).toEqual([1, 1]);
  });
});

describe('a balanced order', () => {
  const { labels } = setOf(3, 40, 18, 0);
  const counted = (epoch: number, seed = 1) => {
    const order = balancedOrder(labels, 4, seed, epoch);
    const seen = new Array<number>(61).fill(0);
    for (const image of order) seen[image]++;
    return { order, seen };
  };

  test('is as long as the set and takes as many images of each class', () => {
    for (const epoch of [0, 1, 2]) {
      const { order } = counted(epoch);
      expect(order.length).toBe(61);
      const counts = classCounts({ labels: Uint16Array.from(order, (i) => labels[i]), classes: [...'abcd'] });
      expect(counts.slice(0, 3).toSorted((a, b) => a - b)).toEqual([20, 20, 21]);
      expect(counts[3]).toBe(0);
    }
  });

  test('takes the images of a class about equally often, and in time all of a large one', () => {
    const total = new Array<number>(61).fill(0);
    for (let epoch = 0; epoch < 30; epoch++) {
      const { seen } = counted(epoch);
      for (const [first, end] of [
        [0, 3],
        [3, 43],
        [43, 61],
      ]) {
        const some = seen.slice(first, end);
        expect(Math.max(...some) - Math.min(...some)).toBeLessThanOrEqual(1);
      }
      seen.forEach((n, image) => {
        total[image] += n;
      });
    }
    expect(Math.min(...total)).toBeGreaterThan(0);
  });

  test('is another for each seed and epoch, and the same for both', () => {
    const orders = [counted(0), counted(1), counted(0, 2)].map(({ order }) => order.join());
    expect(new Set(orders).size).toBe(3);
    expect(counted(1).order.join()).toBe(orders[1]);
    // mixed: no class stands in one piece
    expect(new Set(Array.from(counted(0).order.subarray(0, 12), (image) => labels[image])).size).toBe(3);
  });
});

test('a run with the sampler trains by that order', async () => {
  const t = tinyTraining({ epochs: 2, balance: 'sampler' });
  const labels = Uint16Array.from({ length: 22 }, (_, i) => (i < 2 ? 0 : i < 5 ? 1 : 2));
  const { compute, batches } = fakeNetwork();
  const trainer = await Trainer.create(
    fakeGpu(compute),
    { ...t, train: { ...t.train, labels } },
    {
      steps() {},
      evaluated() {},
      warning() {},
    },
  );
  await trainer.run({ cancelled: false });
  const images = batches.filter(({ program }) => program === 'train').map((batch) => batch.images);
  expect(images.slice(0, 6).flat()).toEqual([...balancedOrder(labels, 3, 5, 0)]);
  expect(images.slice(6).flat()).toEqual([...balancedOrder(labels, 3, 5, 1)]);
});

describe('a sentence', () => {
  test('names the remedy where classes are unbalanced, and is not there where they are not', () => {
    expect(balanceSentence(setOf(3, 10), { balance: 'none', repeats: 1 })).toEqual({
      type: 'warning',
      message:
        'The classes are unbalanced: 3 images of a, 10 images of b. The setting balance weighs them in the loss (--balance loss) or draws them evenly (--balance sampler).',
    });
    expect(balanceSentence(setOf(3, 9, 0), { balance: 'none', repeats: 1 })).toBeUndefined();
  });

  test('says the weights, or how often images are seen', () => {
    expect(balanceSentence(setOf(1, 9), { balance: 'loss', repeats: 1 })?.message).toBe(
      'Classes weigh in the loss by how few images they have: 5 for a (1 image), 0.556 for b (9 images).',
    );
    expect(balanceSentence(setOf(2, 8), { balance: 'sampler', repeats: 1 })?.message).toBe(
      'An epoch takes as many images of each class, 5 on average: each of a (2 images) 2.5 times, each of b (8 images) 0.625 times.',
    );
    expect(balanceSentence(setOf(2, 8), { balance: 'sampler', repeats: 4 })?.message).toContain(
      '20 on average: each of a (2 images) 10 times',
    );
  });
});
