import { expect, test } from 'vitest';
import type { TestPrediction } from '../../../src/api';
import { changed, confused, confusionOf, wrongOf } from '../../../src/page/results/figures';

const told = (...rows: [label: string, predicted: string, probability?: number][]): TestPrediction[] =>
  rows.map(([label, predicted, probability = 0.5], image) => ({ image, label, predicted, probability }));

const some = told(['a', 'a'], ['a', 'b', 0.7], ['b', 'b'], ['b', 'a', 0.9], ['b', 'a', 0.6], ['c', 'c']);

test('a confusion matrix counts images by class and class told', () => {
  const { classes, cells } = confusionOf(['a', 'b', 'c', 'd'], some);
  expect(cells.map((row) => row.map(({ images }) => images.length))).toEqual([
    [1, 1, 0, 0],
    [2, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 0],
  ]);
  expect(classes).toEqual([
    { name: 'a', images: 2, right: 1, told: 3 },
    { name: 'b', images: 3, right: 1, told: 2 },
    { name: 'c', images: 1, right: 1, told: 1 },
    { name: 'd', images: 0, right: 0, told: 0 },
  ]);
});

test('the commonest confusions come first', () => {
  const pairs = confused(confusionOf(['a', 'b', 'c'], some));
  expect(pairs.map(({ label, predicted, images }) => [label, predicted, images.length])).toEqual([
    ['b', 'a', 2],
    ['a', 'b', 1],
  ]);
});

test('wrong images are those that the network was surest of first', () => {
  expect(wrongOf(some).map(({ image }) => image)).toEqual([3, 1, 4]);
});

test('images are gained and lost one by one', () => {
  const after = told(['a', 'b'], ['a', 'a'], ['b', 'b'], ['b', 'b'], ['b', 'c'], ['c', 'c']);
  const { gained, lost } = changed(some, after);
  expect(gained.map(({ image }) => image)).toEqual([1, 3]);
  expect(lost.map(({ image, predicted }) => [image, predicted])).toEqual([[0, 'b']]);
});
