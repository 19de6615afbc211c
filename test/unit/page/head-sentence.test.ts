import { expect, test } from 'vitest';
import { headSentence } from '../../../src/page/input/head-sentence';

const found = { classes: ['cat', 'dog'], batch: 4, rate: 0.003 };

test.each([
  [{ known: 1000, head: 'new' as const }, /^1,000 classes → your 2: new head\./],
  [{ known: undefined, head: 'new' as const }, /^No classifier → your 2: new head\./],
  [{ known: 2, head: 'rows' as const }, /^2 classes → your 2: known by name/],
  [{ known: 2, head: 'kept' as const }, /rows taken in the order of your classes \(cat, dog\)/],
])('what becomes of the classes: %j', (verdict, sentence) => {
  expect(headSentence({ ...found, ...verdict })).toMatch(sentence);
});
