import { describe, expect, test } from 'vitest';
import { candidatePrefixes, commonPrefix } from '../../../src/io/prefix';

const network = [
  'features.0.weight',
  'features.1.weight',
  'features.1.bias',
  'classifier.weight',
  'classifier.bias',
];
const under = (prefix: string, names = network) => names.map((name) => prefix + name);

describe('prefixes to try', () => {
  test('none is among them, whatever the names', () => {
    expect(candidatePrefixes(network)).toContain('');
    expect(candidatePrefixes([])).toEqual(['']);
    expect(candidatePrefixes(['weight'])).toEqual(['']);
  });

  test.each([
    'module.',
    '_orig_mod.module.',
    'module._orig_mod.',
    'model.net.',
    'encoder.backbone.',
    'model.model.model.',
  ])('wrappers in any order: %s', (prefix) => expect(candidatePrefixes(under(prefix))).toContain(prefix));

  test('of a network among others: a loss, metrics, a teacher', () => {
    const names = [
      ...under('student.backbone.'),
      ...under('teacher.backbone.'),
      'criterion.weight',
      'accuracy.total',
    ];
    const found = candidatePrefixes(names);
    expect(found).toContain('student.backbone.');
    expect(found).toContain('teacher.backbone.');
    expect(found).not.toContain('criterion.');
  });

  test('a name that nobody knows, before enough of the names', () => {
    expect(candidatePrefixes(under('my_net.'))).toContain('my_net.');
    expect(candidatePrefixes([...under('my_net.'), 'head.weight'])).toContain('my_net.');
    expect(candidatePrefixes([...under('model.'), 'my_net.weight'])).not.toContain('my_net.');
  });

  test('are few, and the ones of most names come first', () => {
    const blocks = Array.from({ length: 300 }, (_, i) => `module.layer${i % 4}.${i}.conv.weight`);
    const found = candidatePrefixes(blocks);
    expect(found.slice(0, 2)).toEqual(['', 'module.']);
    expect(found.length).toBeLessThan(8);
    expect(candidatePrefixes(['net.weight', ...under('model.')]).slice(0, 2)).toEqual(['', 'model.']);
  });
});

test('the common prefix is of wrappers alone, and of all names', () => {
  expect(commonPrefix(under('module._orig_mod.'))).toBe('module._orig_mod.');
  expect(commonPrefix([...under('module.'), 'n_averaged'])).toBe('');
  expect(commonPrefix(under('model.'))).toBe('');
  expect(commonPrefix([])).toBe('');
});
