import { expect, test } from 'vitest';
import { inFormWords } from '../../../src/page/settings/form-words';

test('options in the engine’s words are called as the form calls them', () => {
  expect(inFormWords('Or take smaller micro-batches (--micro-batch 16).')).toBe(
    'Or take smaller micro-batches (“Micro-batch” 16).',
  );
  expect(inFormWords('(--lr sets another, refocus lr looks for one)')).toBe(
    '(“Learning rate” sets another, “Find a learning rate” looks for one)',
  );
  expect(inFormWords('(stem stride, --stem-stride 1)')).toBe('(“Stem stride” 1)');
});

test('what the form does not have stays', () => {
  for (const text of ['go on with it by --resume', 'a - b -- c', 'photo--lr.png'])
    expect(inFormWords(text)).toBe(text);
});
