import { expect, test } from 'vitest';
import { skippedWarning } from '../../../src/run/data-source';

test('images that were skipped are counted, the first one named', () => {
  const skipped = [
    { path: 'cat/1.jpg', reason: 'it is cut off' },
    { path: 'cat/2.jpg', reason: 'it is empty' },
  ];
  expect(skippedWarning({ skipped: [] })).toBeUndefined();
  expect(skippedWarning({ skipped: skipped.slice(1) })).toBe('1 image was skipped, cat/2.jpg: it is empty');
  expect(skippedWarning({ skipped })).toBe('2 images were skipped, first cat/1.jpg: it is cut off');
});
