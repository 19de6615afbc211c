import { expect, test } from 'vitest';
import { linesOf } from '../../../src/gpu/wgsl/lines';
import { unroll } from '../../../src/gpu/wgsl/unroll';
import { squash } from './library';

const unrolled = (text: string) =>
  squash(
    unroll(linesOf('test/one', text))
      .map((line) => line.text)
      .join('\n'),
  );

test('the body is repeated with its variable a constant, inner loops first', () => {
  const text = `const N: u32 = 2u;
//#unroll
for (var i = 0u; i < N; i++) {
  //#unroll
  for (var j = 0; j < 1; j++) { f(i, j); }
}
g();`;
  const inner = '{ const j = 0i; f(i, j); }';
  expect(unrolled(text)).toBe(
    `const N: u32 = 2u; { const i = 0u; ${inner} } { const i = 1u; ${inner} } g();`,
  );
});

test('a loop of turns stays one but where it has one turn, and what is in it is unrolled', () => {
  const text = (turns: number) => `const N: u32 = ${turns}u;
//#turns
for (var t = 0u; t < N; t++) {
  //#unroll
  for (var i = 0u; i < 2u; i++) { f(t, i); }
}
g();`;
  const inner = '{ const i = 0u; f(t, i); } { const i = 1u; f(t, i); }';
  expect(unrolled(text(1))).toBe(`const N: u32 = 1u; { const t = 0u; ${inner} } g();`);
  expect(unrolled(text(3))).toBe(`const N: u32 = 3u; for (var t = 0u; t < N; t++) { ${inner} } g();`);
});

test('other loops stay as they are', () => {
  const text = 'for (var i = 0u; i < 3u; i++) { f(i); }';
  expect(unrolled(text)).toBe(text);
});

test.each([
  ['a bound that is no literal', 'for (var i = 0u; i < M; i++) { f(i); }', 2],
  ['a loop of another form', 'for (var i = 1u; i < 3u; i++) { f(i); }', 1],
  ['a body that never ends', 'for (var i = 0u; i < 3u; i++) { f(i);', 2],
  ['something behind its last line', 'for (var i = 0u; i < 3u; i++) { f(i); } g();', 2],
])('%s is refused, with its line', (_, text, number) => {
  expect(() => unrolled(`//#unroll\n${text}`)).toThrow(`shaders/test/one.wgsl:${number}: `);
});
