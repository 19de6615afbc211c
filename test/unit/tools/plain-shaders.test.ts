import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plain } from '../../../tools/plain-shaders';

test('comments and indentation go, directives and line numbers stay', () => {
  const wgsl =
    '// what it does\n//#import common/rng\nconst A: u32 = 1u; //#required // a size\n  //#unroll\n/ 2;\n';
  expect(plain(wgsl)).toBe('\n//#import common/rng\nconst A: u32 = 1u; //#required\n //#unroll\n/ 2;\n');
});

/** WGSL's tokens, as far as spaces part them. */
const tokens = (wgsl: string) =>
  wgsl.match(/\w+(\.\w+)*|\/\/#.*|\/\*|&&|\|\||--|\+\+|->|<<|>>|[-+*/%&|^=!<>]=|\S/g);

test('statements lose spaces that part nothing', () => {
  expect(plain('  let a: f32 = b * vec2(c, d) - e / *p - -f / g;')).toBe(
    ' let a:f32=b*vec2(c,d)-e / *p - -f/g;',
  );
  expect(plain('  var v: vec4<f32> = w; if (a >= b && !c) { v -= 1.0; }')).toBe(
    ' var v:vec4<f32> = w;if (a >= b&&!c) { v-= 1.0;}',
  );
  expect(plain('  SIZE: u32,')).toBe(' SIZE: u32,');
  expect(plain('  for (var i = 0u; i < 4u; i++) {')).toBe(' for (var i=0u;i<4u;i++) {');
  const unrolled = ' //#unroll\n for (var i = 0u; i < 4u; i++) {';
  expect(plain(unrolled)).toBe(unrolled);
  expect(plain('const A: u32 = 1u;')).toBe('const A: u32 = 1u;');
});

test('every shader keeps its lines and loses its comments and indentation', () => {
  const files = readdirSync('shaders', { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.wgsl'))) {
    const wgsl = readFileSync(join('shaders', file), 'utf8');
    const text = plain(wgsl);
    expect(text.split('\n').length, file).toBe(wgsl.split('\n').length);
    expect(text, file).not.toMatch(/\/\/(?!#)|^ {2,}\S/m);
    expect(text.match(/\/\/#\w+/g), file).toEqual(wgsl.match(/\/\/#\w+/g));
    expect(tokens(text), file).toEqual(tokens(wgsl.replace(/[ \t]*\/\/(?!#).*$/gm, '')));
  }
});
