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
