import { describe, expect, test } from 'vitest';
import { shaders } from '../../../src/gpu/wgsl/shaders';
import type { Constants } from '../../../src/graph/ir';
import { libraryOf } from './library';

await shaders.load();

const library = libraryOf(`const COUNT: u32 = 1u; //#required
const SHIFT: i32 = 0;
const SCALE: f32 = 1.0;
const FLAG: bool = false;
struct Sizes {
  SIZE: u32, // vec4s
  OFFSET: i32,
}
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(10) var<uniform> sizes: Sizes;
`);

const given = { COUNT: 3, SIZE: 12, OFFSET: -3 };
const compose = (constants: Constants) => library.compose('test/one', constants).code;
const check = (constants: Constants) =>
  library.check({
    shader: 'test/one',
    constants,
    bindings: { y: { buffer: 'y', offset: 0, bytes: 4 } },
    halves: [],
  });

test('constants stand in the place of the declared ones, as literals of their type', () => {
  const code = compose({ ...given, SHIFT: -2, SCALE: 0.9, FLAG: true });
  expect(code).toContain('const COUNT: u32 = 3u;\n');
  expect(code).toContain('const SHIFT: i32 = -2i;\n');
  expect(code).toContain('const SCALE: f32 = f32(0.8999999761581421);\n');
  expect(code).toContain('const FLAG: bool = true;\n');
  expect(compose(given)).toContain('const SCALE: f32 = 1.0;\n');
});

describe.each([
  ['composed', compose],
  ['checked in a plan', check],
])('a dispatch that is %s', (_, act) => {
  const refuses = (constants: Constants, message: string) =>
    expect(() => act({ ...given, ...constants })).toThrow(`shaders/test/one.wgsl: ${message}`);

  test('gives nothing that is wrong', () => {
    expect(() => act(given)).not.toThrow();
    expect(() => act({ ...given, COUNT: 2 ** 32 - 1, OFFSET: -(2 ** 31), SCALE: -3e38 })).not.toThrow();
  });

  test.each([1.5, -1, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY, true])(
    'gives an integer where the shader wants a u32, and not %s',
    (value) => {
      const wanted = `must be an integer from 0 to 4294967295, not ${value}`;
      refuses({ COUNT: value }, `COUNT ${wanted}`);
      refuses({ SIZE: value }, `SIZE ${wanted}`);
    },
  );

  test.each([0.5, 2 ** 31, -(2 ** 31) - 1, Number.NaN, false])(
    'gives an integer where the shader wants an i32, and not %s',
    (value) => {
      refuses({ SHIFT: value }, 'SHIFT must be an integer from -2147483648 to 2147483647');
      refuses({ OFFSET: value }, 'OFFSET must be an integer from -2147483648 to 2147483647');
    },
  );

  test.each([Number.NaN, Number.NEGATIVE_INFINITY, 1e39, true])(
    'gives numbers that f32 holds, not %s',
    (value) => {
      refuses({ SCALE: value }, `SCALE must be a number that f32 holds, not ${value}`);
    },
  );

  test.each([0, 1])('gives true or false for a flag, not %d', (value) => {
    refuses({ FLAG: value }, `FLAG must be true or false, not ${value}`);
  });

  test.each(['COUNTS', 'count', 'SIZ', 'sizes', 'SUBGROUPS'])(
    'names no constant that is not there: %s',
    (name) => {
      refuses({ [name]: 1 }, `there is no constant ${name}`);
    },
  );

  test('gives the constants that must be given, and every size', () => {
    expect(() => act({ SIZE: 12, OFFSET: 0 })).toThrow('COUNT must be given');
    expect(() => act({ COUNT: 1 })).toThrow('SIZE, OFFSET must be given');
  });
});

test('a shader that is not there is refused', () => {
  expect(() => shaders.compose('optim/none')).toThrow('there is no shader optim/none');
});

describe('sizes', () => {
  const constants = { SIZE: 12, CHANNELS: 7, RESIDUAL: true, ACTIVATION: 2 };

  test('are packed in the order of the struct and are not compiled in', () => {
    expect([...shaders.packSizes('norm/affine_act', constants)]).toEqual([12, 7]);
    expect(shaders.compiledConstants('norm/affine_act', constants)).toEqual({
      RESIDUAL: true,
      ACTIVATION: 2,
    });
    const { code } = shaders.compose('norm/affine_act', constants);
    expect(code).toBe(shaders.compose('norm/affine_act', { ...constants, SIZE: 99 }).code);
  });

  test('below zero keep their bits', () => {
    expect([...library.packSizes('test/one', given)]).toEqual([12, 2 ** 32 - 3]);
  });

  test('must all be there', () => {
    expect(() => library.packSizes('test/one', { COUNT: 1, SIZE: 12 })).toThrow('OFFSET must be given');
  });

  test('are u32 or i32', () => {
    const floats = libraryOf('struct Sizes {\n  SCALE: f32,\n}\n');
    expect(() => floats.declarations('test/one')).toThrow(
      'shaders/test/one.wgsl:2: a size must be u32 or i32',
    );
  });
});
