import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellWord } from '../../../src/cli/shell';

test('a path stays as it is where a shell takes it so, else it is quoted', () => {
  expect(shellWord('runs/käse-2_a.b')).toBe('runs/käse-2_a.b');
  expect(shellWord('käse dir')).toBe("'käse dir'");
});

test.each(['käse dir', "it's", '$HOME', '~', 'a;b', 'a&b', '`b`', '"', 'a\\b', '*', '(1)', '!!', '#a', ''])(
  'a shell reads %j as it was',
  (path) => {
    const read = execFileSync('sh', ['-c', `printf %s ${shellWord(path)}`], { encoding: 'utf8' });
    expect(read).toBe(path);
  },
);
