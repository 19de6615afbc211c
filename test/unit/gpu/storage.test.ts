import { describe, expect, test } from 'vitest';
import { type Gpu, requireHalves } from '../../../src/gpu/device';
import { libraryOf } from './library';

const text = `@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> max_x: array<f32>; //#f16
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(3) var<storage, read> w: array<vec4<f32>>;
fn main() {
  store_y(0u, w[0] * load_x(1u) + load_max_x(2u));
}
`;
const library = libraryOf(text);

describe('a binding that may be f16', () => {
  test('is f32 unless it is asked to be', () => {
    const { code } = library.compose('test/one');
    expect(code).not.toContain('f16');
    expect(code).toContain('fn load_x(i: u32) -> vec4<f32> { return x[i]; }');
    expect(code).toContain('fn load_max_x(i: u32) -> f32 { return max_x[i]; }');
    expect(code).toContain('fn store_y(i: u32, value: vec4<f32>) { y[i] = value; }');
  });

  test('is read as f32, and written as what f16 holds', () => {
    const { code } = library.compose('test/one', {}, ['x', 'max_x', 'y']);
    expect(code).toMatch(/^enable f16;\n/);
    expect(code).toContain(' x: array<vec4<f16>>;');
    expect(code).toContain(' max_x: array<f16>;');
    expect(code).toContain('fn load_x(i: u32) -> vec4<f32> { return vec4<f32>(x[i]); }');
    expect(code).toContain('fn load_max_x(i: u32) -> f32 { return f32(max_x[i]); }');
    expect(code).toContain('y[i] = vec4<f16>(clamp(value, vec4<f32>(-65504.0), vec4<f32>(65504.0)));');
  });

  test('is f16 alone where it is asked for alone', () => {
    const { code } = library.compose('test/one', {}, ['x']);
    expect(code).toContain(' max_x: array<f32>;');
    expect(code).toContain(' y: array<vec4<f32>>;');
  });

  test.each(['y[0] = vec4(1.0);', 'let a = x[0];', 'let a = 2.0 * max_x[0];'])(
    'is not passed by: %s',
    (use) => {
      const careless = libraryOf(text.replace('fn main() {\n', `fn main() {\n  ${use}\n`));
      expect(() => careless.compose('test/one')).toThrow(
        /^shaders\/test\/one\.wgsl:6: (x|y|max_x) may be stored as f16/,
      );
    },
  );

  test('is the only kind that can be', () => {
    for (const name of ['w', 'z'])
      expect(() => library.compose('test/one', {}, [name])).toThrow(
        `there is no binding ${name} that may be stored as f16`,
      );
  });
});

test('a device without f16 says so and names the way out', () => {
  const gpu = (features: string[]) =>
    ({ name: 'old GPU', device: { features: new Set(features) } }) as unknown as Gpu;
  expect(() => requireHalves(gpu([]))).toThrow(/old GPU.*shader-f16.*choose storage f32/);
  expect(() => requireHalves(gpu(['shader-f16']))).not.toThrow();
});
