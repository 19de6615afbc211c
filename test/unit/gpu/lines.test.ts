import { expect, test } from 'vitest';
import { shaders } from '../../../src/gpu/wgsl/shaders';
import { exampleConstants } from '../../shader-rules';
import { libraryOf } from './library';

await shaders.load();

const library = libraryOf(
  `// y = f(x)
//#import common/f
const N: u32 = 2u;
const LOUD: bool = false;

@group(0) @binding(0) var<storage, read_write> y: array<f32>; //#f16
fn main() {
  if (LOUD) {
    shout();
  }
  //#unroll
  for (var i = 0u; i < N; i++) {
    // a comment
    store_y(i, f(i));
  }
}
`,
  { 'common/f': '// f\nenable subgroups;\nfn f(i: u32) -> f32 {\n  return 1.0;\n}\n' },
);

test('every line of the composed text knows the line on disk that it comes from', () => {
  const { code, origins } = library.compose('test/one');
  const lines = code.split('\n').map((line, i) => [`${origins[i].file}:${origins[i].number}`, line]);
  const one = 'shaders/test/one.wgsl';
  expect(lines).toEqual([
    ['shaders/common/f.wgsl:2', 'enable subgroups;'],
    ['shaders/common/f.wgsl:3', 'fn f(i: u32) -> f32 {'],
    ['shaders/common/f.wgsl:4', 'return 1.0;'],
    ['shaders/common/f.wgsl:5', '}'],
    [`${one}:3`, 'const N: u32 = 2u;'],
    [`${one}:4`, 'const LOUD: bool = false;'],
    [`${one}:6`, '@group(0) @binding(0) var<storage, read_write> y: array<f32>;'],
    [`${one}:6`, 'fn store_y(i: u32, value: f32) { y[i] = value; }'],
    [`${one}:7`, 'fn main() {'],
    [`${one}:14`, '{ const i = 0u; store_y(i, f(i)); }'],
    [`${one}:14`, '{ const i = 1u; store_y(i, f(i)); }'],
    [`${one}:16`, '}'],
  ]);
});

test('a file that is imported on several ways stands once', () => {
  const twice = libraryOf('//#import common/a\n//#import common/b\n//#import common/a\nfn main() { }\n', {
    'common/a': '//#import common/b\nfn a() { }\n',
    'common/b': '//#import common/a\nfn b() { }\n',
  });
  expect(twice.compose('test/one').code).toBe('fn b() { }\nfn a() { }\nfn main() { }');
});

test('a place is shown between its neighbours as they stand', () => {
  const composed = library.compose('test/one');
  expect(library.locate(composed, 11)).toEqual({
    place: 'shaders/test/one.wgsl:14',
    excerpt: '  13 |     // a comment\n> 14 |     store_y(i, f(i));\n  15 |   }',
  });
  expect(library.locate(composed, 2).excerpt).toBe(
    '  2 | enable subgroups;\n> 3 | fn f(i: u32) -> f32 {\n  4 |   return 1.0;',
  );
});

test.each(shaders.ids())('%s: each line comes from one that holds its words', (id) => {
  for (const flags of [false, true]) {
    const composed = shaders.compose(id, exampleConstants(id, flags));
    composed.code.split('\n').forEach((line, i) => {
      const { excerpt } = shaders.locate(composed, i + 1);
      const own = excerpt.split('\n').find((shown) => shown.startsWith('>'))!;
      const words = line.match(/[a-z]\w+/g) ?? [];
      const unseen = words.filter((word) => !own.includes(word));
      // composition adds the values of constants and the helpers for f16
      const isAdded = (word: string) => ['const', 'true', 'false'].includes(word);
      if (!/^fn (load|store)_/.test(line)) expect(unseen.filter((word) => !isAdded(word))).toEqual([]);
    });
  }
});
