import { expect, test } from 'vitest';
import type { TestPrediction } from '../../../src/api';
import {
  changed,
  confused,
  confusionOf,
  isOfSame,
  orderOf,
  wrongOf,
} from '../../../src/page/results/figures';

const told = (...rows: [label: string, predicted: string, probability?: number][]): TestPrediction[] =>
  rows.map(([label, predicted, probability = 0.5], image) => ({ image, label, predicted, probability }));

const some = told(['a', 'a'], ['a', 'b', 0.7], ['b', 'b'], ['b', 'a', 0.9], ['b', 'a', 0.6], ['c', 'c']);

test('a confusion matrix counts images by class and class told', () => {
  const { classes, cell } = confusionOf(['a', 'b', 'c', 'd'], some);
  const places = [0, 1, 2, 3];
  expect(places.map((row) => places.map((column) => cell(row, column)?.images.length ?? 0))).toEqual([
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

test('classes are ordered by their errors, and so that those taken for each other stand together', () => {
  const confusion = confusionOf(
    ['a', 'b', 'c', 'd', 'e'],
    told(
      ['a', 'd'],
      ['d', 'a'],
      ['d', 'd'],
      ['b', 'b'],
      ['c', 'e'],
      ['e', 'e'],
      ['e', 'e'],
      ['d', 'c'],
      ['d', 'd'],
    ),
  );
  expect(orderOf(confusion, 'class')).toEqual([0, 1, 2, 3, 4]);
  expect(orderOf(confusion, 'error')).toEqual([3, 0, 2, 4, 1]);
  // a with d (1 + 1/4), c with e (1), then both groups by d told c (1/4)
  expect(orderOf(confusion, 'cluster')).toEqual([2, 4, 0, 3, 1]);
});

test('a confusion counts by its share of a class, so that small classes have a say', () => {
  const many = Array.from({ length: 8 }, () => ['a', 'a'] as [string, string]);
  const confusion = confusionOf(
    ['a', 'b', 'c'],
    told(...many, ['a', 'c'], ['a', 'c'], ['b', 'c'], ['c', 'c']),
  );
  expect(orderOf(confusion, 'cluster')).toEqual([0, 1, 2]);
});

test('a thousand classes are counted and ordered with each class once', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `class ${i}`);
  const confusion = confusionOf(
    names,
    told(...names.map((name, i) => [name, names[(7 * i) % 1000]] as [string, string])),
  );
  expect(confusion.cells).toHaveLength(1000);
  for (const order of ['class', 'error', 'cluster'] as const)
    expect(new Set(orderOf(confusion, order)).size, order).toBe(1000);
});

test('predictions of other images, or of images under other labels, are not compared', () => {
  expect(isOfSame(some, told(...some.map(({ label }) => [label, 'c'] as [string, string])))).toBe(true);
  expect(isOfSame(some, some.slice(1))).toBe(false);
  expect(isOfSame(some, some.with(2, { ...some[2], label: 'c' }))).toBe(false);
});
