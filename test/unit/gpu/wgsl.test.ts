import { describe, expect, test } from 'vitest';
import { unroll } from '../../../src/gpu/wgsl';

const squash = (text: string) => text.replace(/\s+/g, ' ').trim();

describe('unroll', () => {
  test('repeats the body with its variable a constant, inner loops first', () => {
    const text = `const N: u32 = 2u;
//#unroll
for (var i = 0u; i < N; i++) {
  //#unroll
  for (var j = 0; j < 1; j++) { f(i, j); }
}
g();`;
    const inner = '{ const j: i32 = 0; f(i, j); }';
    expect(squash(unroll(text))).toBe(
      `const N: u32 = 2u; { const i: u32 = 0; ${inner} } { const i: u32 = 1; ${inner} } g();`,
    );
  });

  test('leaves other loops as they are', () => {
    const text = 'for (var i = 0u; i < 3u; i++) { f(i); }';
    expect(unroll(text)).toBe(text);
  });

  test.each([
    ['a bound that is no literal', '//#unroll\nfor (var i = 0u; i < M; i++) { f(i); }'],
    ['a loop of another form', '//#unroll\nfor (var i = 1u; i < 3u; i++) { f(i); }'],
    ['a body that never ends', '//#unroll\nfor (var i = 0u; i < 3u; i++) { f(i);'],
  ])('refuses %s', (_, text) => {
    expect(() => unroll(text)).toThrow();
  });
});
