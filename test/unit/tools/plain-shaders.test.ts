import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withoutComments } from '../../../tools/plain-shaders';

test('comments go, directives and line numbers stay', () => {
  const wgsl =
    '// what it does\n//#import common/rng\nconst A: u32 = 1u; //#required // a size\n  //#unroll\n/ 2;\n';
  expect(withoutComments(wgsl)).toBe(
    '\n//#import common/rng\nconst A: u32 = 1u; //#required\n  //#unroll\n/ 2;\n',
  );
});

test('every shader keeps its lines and loses its comments', () => {
  const files = readdirSync('shaders', { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.wgsl'))) {
    const wgsl = readFileSync(join('shaders', file), 'utf8');
    const plain = withoutComments(wgsl);
    expect(plain.split('\n').length, file).toBe(wgsl.split('\n').length);
    expect(plain, file).not.toMatch(/\/\/(?!#)/);
    expect(plain.match(/\/\/#\w+/g), file).toEqual(wgsl.match(/\/\/#\w+/g));
  }
});
