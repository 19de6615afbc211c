import { describe, expect, test } from 'vitest';
import type { Constants } from '../../../src/graph/ir';
import { libraryOf } from './library';

const text = `const ADDEND: bool = false;
const NORM: bool = false;
const BIAS: bool = false;
const MOMENTUM: f32 = 0.0;
struct Sizes {
  PREFIX: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> addend: array<f32>; //#if ADDEND
@group(0) @binding(2) var<storage, read> bias: array<f32>; //#if BIAS || NORM
@group(0) @binding(3) var<storage, read> prefix: array<f32>; //#if PREFIX
@group(0) @binding(4) var<storage, read_write> buf: array<f32>; //#if MOMENTUM
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(10) var<uniform> sizes: Sizes;
fn main() {
  var v = x[0];
  if (ADDEND) { v += addend[0]; }
  if (NORM) {
    if (v > 0.0) { v *= bias[1]; }
  }
  if (BIAS) { v += bias[0]; }
  v += prefix[0]; //#if PREFIX
  if (MOMENTUM != 0.0) { //#if MOMENTUM
    v += buf[0];
  }
  if (NORM) { v += 1.0; } else { v += 2.0; }
  y[0] = v;
}
`;
const library = libraryOf(text);
const none = { PREFIX: 0 };
const range = { buffer: 'b', offset: 0, bytes: 4 };

const check = (constants: Constants, ...names: string[]) =>
  library.check({
    shader: 'test/one',
    constants: { ...none, ...constants },
    bindings: Object.fromEntries(['x', 'y', ...names].map((name) => [name, range])),
    halves: [],
  });
const composed = (constants: Constants, from = library) =>
  from.compose('test/one', { ...none, ...constants });

describe('a dispatch', () => {
  test('gives each optional binding with its flag, and none without', () => {
    expect(() => check({})).not.toThrow();
    expect(() => check({ ADDEND: true }, 'addend')).not.toThrow();
    expect(() => check({ NORM: true }, 'bias')).not.toThrow();
    expect(() => check({ BIAS: true }, 'bias')).not.toThrow();
    expect(() => check({ PREFIX: 8 }, 'prefix')).not.toThrow();
    expect(() => check({ MOMENTUM: 0.9 }, 'buf')).not.toThrow();
  });

  test.each<[string, Constants]>([
    ['addend is not given, but ADDEND is', { ADDEND: true }],
    ['bias is not given, but BIAS or NORM is', { NORM: true }],
    ['prefix is not given, but PREFIX is', { PREFIX: 8 }],
    ['buf is not given, but MOMENTUM is', { MOMENTUM: 0.5 }],
  ])('that forgets one is refused: %s', (message, constants) => {
    expect(() => check(constants)).toThrow(`shaders/test/one.wgsl: the binding ${message}`);
  });

  test.each(['addend', 'bias', 'prefix', 'buf'])('that gives %s without its flag is refused', (name) => {
    expect(() => check({}, name)).toThrow(`the binding ${name} is given, but not `);
  });

  test('that forgets a binding without condition, or gives one that is not there, is refused', () => {
    const dispatch = { shader: 'test/one', constants: none, halves: [] };
    expect(() => library.check({ ...dispatch, bindings: { y: range } })).toThrow(
      'the binding x is not given',
    );
    expect(() => check({}, 'z')).toThrow('there is no binding z');
    expect(() => check({}, 'sizes')).toThrow('there is no binding sizes');
  });
});

describe('the composed text', () => {
  test('has no trace of a binding of no use', () => {
    const { code, bindings } = composed({});
    expect(bindings.map(({ name }) => name)).toEqual(['x', 'y', 'sizes']);
    expect(code).not.toMatch(/addend|bias|prefix\[|buf/);
    expect(code).toContain('} else { v += 2.0; }');
  });

  test('has what its constants switch on', () => {
    const { code, bindings } = composed({ ADDEND: true, NORM: true, PREFIX: 4, MOMENTUM: 0.5 });
    expect(bindings).toHaveLength(7);
    expect(code).toContain('if (ADDEND) { v += addend[0]; }');
    expect(code).toContain('if (v > 0.0) { v *= bias[1]; }');
    expect(code).not.toContain('v += bias[0]');
    expect(code).toContain('v += prefix[0];\n');
    expect(code).toContain('v += buf[0];');
  });

  test('differs by whether a size is zero only where a binding depends on it', () => {
    expect(library.compiledConstants('test/one', { PREFIX: 8, BIAS: true })).toEqual({
      PREFIX: true,
      BIAS: true,
    });
    expect(library.compiledConstants('test/one', { PREFIX: 0 })).toEqual({ PREFIX: false });
  });

  test('never reads an optional binding where its flag is not asked for', () => {
    const careless = libraryOf(text.replace('if (ADDEND) { v += addend[0]; }', 'v += addend[0];'));
    expect(() => composed({ ADDEND: true }, careless)).not.toThrow();
    expect(() => composed({}, careless)).toThrow(
      'shaders/test/one.wgsl:17: the binding addend is only there if ADDEND',
    );
  });
});

test.each([
  ['//#if NOTHING', 'asks for NOTHING, which is no constant and no size'],
  ['//#iff ADDEND', 'there is no directive //#iff ADDEND'],
  ['//#if ADDEND && BIAS', 'there is no directive //#if ADDEND && BIAS'],
])('a directive that says nothing is refused: %s', (directive, message) => {
  const wrong = libraryOf(text.replace('//#if ADDEND', directive));
  expect(() => wrong.declarations('test/one')).toThrow(`shaders/test/one.wgsl:9: `);
  expect(() => wrong.declarations('test/one')).toThrow(message);
});

describe('what an imported file needs', () => {
  const common = { 'common/gain': '// no word of gain[i] here\n//#needs GAIN, gain, scale\nfn f() { }\n' };
  const user = (lines: string) => libraryOf(`//#import common/gain\n${lines}`, common);
  const all = `const GAIN: u32 = 1u;
@group(0) @binding(0) var<storage, read> gain: array<f32>;
fn scale() { }
`;

  test('is declared by who imports it', () => {
    expect(() => user(all).declarations('test/one')).not.toThrow();
  });

  test.each(['const GAIN', 'gain:', 'fn scale'])('or is missed: %s', (declaration) => {
    expect(() =>
      user(all.replace(declaration, declaration.replace(/(\w+)/g, '$1x'))).declarations('test/one'),
    ).toThrow(
      /this is no binding|shaders\/common\/gain\.wgsl:2: shaders\/test\/one\.wgsl imports this, but has no (GAIN|gain|scale)/,
    );
  });

  test('is looked for in files that are there', () => {
    expect(() => libraryOf('\n//#import common/none\n').declarations('test/one')).toThrow(
      'shaders/test/one.wgsl:2: there is no shader common/none to import',
    );
  });
});
