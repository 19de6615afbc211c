import { expect, test } from 'vitest';
import { rateSentence } from '../../../src/train/rate';

test('a rate that nobody chose is said, with its reason where it is less than usual', () => {
  expect(rateSentence(0.1, 0.1)).toBeUndefined();
  expect(rateSentence('auto', 0.003)).toBe(
    'Learning rate 0.003 (--lr sets another, refocus lr looks for one).',
  );
  expect(rateSentence('auto', 0.00056)).toBe(
    'Learning rate 0.00056, 0.003 in proportion to steps of fewer than 64 images (--lr sets another, refocus lr looks for one).',
  );
});
