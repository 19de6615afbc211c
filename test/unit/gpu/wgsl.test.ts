import { describe, expect, test } from 'vitest';
import { compiledConstants, composeShader, packSizes, unroll } from '../../../src/gpu/wgsl';

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

describe('sizes', () => {
  const constants = { SIZE: 12, CHANNELS: 7, RESIDUAL: true, ACTIVATION: 2 };

  test('are packed in the order of the struct and are not compiled in', () => {
    expect([...packSizes('norm/affine_act', constants)]).toEqual([12, 7]);
    expect(compiledConstants('norm/affine_act', constants)).toEqual({ RESIDUAL: true, ACTIVATION: 2 });
    const text = composeShader('norm/affine_act', constants);
    expect(text).toBe(composeShader('norm/affine_act', { ...constants, SIZE: 99 }));
    expect(text).toContain('const RESIDUAL: bool = true;');
  });

  test('that wrap below zero keep their bits', () => {
    const channels = {
      SIZE: 1,
      H: 1,
      W: 1,
      C: 4,
      IH: 1,
      IW: 1,
      IC: 4,
      DOWN: 1,
      UP: 1,
      OFFSET: -3,
      GROUPS: 1,
    };
    expect(packSizes('shape/gather_channels', channels)[9]).toBe(2 ** 32 - 3);
  });

  test('must all be there', () => {
    expect(() => packSizes('norm/affine_act', { SIZE: 12 })).toThrow('CHANNELS');
  });
});

describe('constants', () => {
  test('stand in the place of the declared ones, in WGSL of their type', () => {
    const text = composeShader('optim/sgd', { MOMENTUM: 0.9 });
    expect(text).toMatch(/^const MOMENTUM: f32 = f32\(0\.8999999761581421\);$/m);
  });

  test.each(['LEARNING', 'MOMENTU', 'momentum', 'MOMENTUM_'])(
    'that no shader declares are refused: %s',
    (name) => {
      expect(() => composeShader('optim/sgd', { [name]: 1 })).toThrow(`optim/sgd has no constant ${name}`);
    },
  );

  test('of another type are refused', () => {
    expect(() => composeShader('optim/sgd', { MOMENTUM: true })).toThrow('optim/sgd: MOMENTUM is no f32');
    expect(() => composeShader('optim/sgd', { MOMENTUM: Number.NaN })).toThrow('MOMENTUM is no f32: NaN');
  });

  test('of a shader that is not there', () => {
    expect(() => composeShader('optim/none')).toThrow('no shader optim/none');
  });
});
