import { describe, expect, test } from 'vitest';
import { classFigures } from '../../../src/analysis/class-figures';

const rows = (...logits: number[][]) => logits.map((row) => Float32Array.from(row));

/** A seeded source of numbers from 0 to 1. */
function source(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('figures of a small set, by hand', () => {
  const classes = ['a', 'b', 'c'];
  // told a, b, a, b, b
  const logits = rows([2, 0, -1], [0, 1, 0], [1, 0, 0], [-1, 3, 0], [0, 0.5, 0]);
  const labels = [0, 1, 1, 1, 0];
  const { figures, predictions } = classFigures(logits, { labels, classes });

  test('the confusion matrix has a row a class and a column a class told', () => {
    expect(figures.confusion).toEqual([
      [1, 1, 0],
      [1, 2, 0],
      [0, 0, 0],
    ]);
  });

  test('precision, recall, F1 and area of each class; one without images has nothing to be right about', () => {
    const [a, b, c] = figures.classes;
    // of the pairs of an a and a b the a is likelier an a in 4 of 6: P(a) is 0.84, 0.21, 0.58, 0.02, 0.27
    expect(a).toMatchObject({ class: 'a', images: 2, precision: 1 / 2, recall: 1 / 2, f1: 1 / 2 });
    expect(a.auc).toBeCloseTo(5 / 6, 12);
    expect(b).toMatchObject({ class: 'b', images: 3, precision: 2 / 3, recall: 2 / 3, f1: 2 / 3 });
    expect(c).toEqual({ class: 'c', images: 0, precision: 0 });
    expect(figures.macro.recall).toBeCloseTo(7 / 12, 12);
    expect(figures.macro.auc).toBeCloseTo((a.auc! + b.auc!) / 2, 12);
  });

  test('the wrong images, the surest first', () => {
    expect(figures.wrong.map(({ image, label, predicted }) => [image, label, predicted])).toEqual([
      [2, 'b', 'a'],
      [4, 'a', 'b'],
    ]);
    expect(figures.wrong[0].probability).toBeCloseTo(Math.E / (Math.E + 2), 6);
  });

  test('every prediction, by file where the images have files', () => {
    expect(predictions.map(({ image }) => image)).toEqual([0, 1, 2, 3, 4]);
    expect(predictions.map(({ predicted }) => predicted)).toEqual(['a', 'b', 'a', 'b', 'b']);
    const paths = labels.map((_, i) => `test/${i}.jpg`);
    expect(classFigures(logits, { labels, classes, paths }).figures.wrong[0].image).toBe('test/2.jpg');
  });

  test('top 5 only where there are more classes', () => {
    expect(figures.top5).toBeUndefined();
    const six = classFigures(rows([6, 5, 4, 3, 2, 1], [6, 5, 4, 3, 2, 1], [1, 1, 1, 1, 1, 1]), {
      labels: [4, 5, 5],
      classes: [...'abcdef'],
    });
    expect(six.figures.top5).toBeCloseTo(1 / 3, 12);
  });
});

test('of equal logits the first is told', () => {
  const { figures } = classFigures(rows([1, 1], [1, 1]), { labels: [0, 1], classes: ['a', 'b'] });
  expect(figures.confusion).toEqual([
    [1, 0],
    [1, 0],
  ]);
  // ties are half right
  expect(figures.classes.map(({ auc }) => auc)).toEqual([0.5, 0.5]);
});

test('a set of one class has no area', () => {
  const { figures } = classFigures(rows([3, 1], [0, 1]), { labels: [0, 0], classes: ['a', 'b'] });
  expect(figures.macro).toEqual({ precision: 1, recall: 0.5, f1: 2 / 3 });
});

test('large logits do not overflow', () => {
  const { predictions, figures } = classFigures(rows([1000, 0], [-1000, 1000], [900, 1000]), {
    labels: [0, 1, 0],
    classes: ['a', 'b'],
  });
  expect(predictions.map(({ probability }) => probability)).toEqual([1, 1, 1]);
  expect(figures.classes[0].auc).toBe(1);
});

test('the areas of many images are those of their definition, pair by pair', () => {
  const random = source(3);
  const count = 150;
  const labels = Array.from({ length: count }, (_, i) => (i * 7) % 4);
  // few values, so that probabilities are equal now and then
  const logits = Array.from({ length: count }, () =>
    Float32Array.from([1, 2, 3, 4], () => Math.floor(3 * random())),
  );
  const { figures } = classFigures(logits, { labels, classes: [...'abcd'] });
  const probability = (row: Float32Array, c: number) =>
    Math.exp(row[c]) / row.reduce((sum, v) => sum + Math.exp(v), 0);
  for (const [c, { auc }] of figures.classes.entries()) {
    let [right, pairs] = [0, 0];
    for (let i = 0; i < count; i++)
      for (let j = 0; j < count; j++) {
        if (labels[i] !== c || labels[j] === c) continue;
        const difference = probability(logits[i], c) - probability(logits[j], c);
        right += Math.abs(difference) < 1e-9 ? 0.5 : Number(difference > 0);
        pairs++;
      }
    expect(auc).toBeCloseTo(right / pairs, 10);
  }
});
