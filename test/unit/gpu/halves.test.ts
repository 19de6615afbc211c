import { describe, expect, test } from 'vitest';
import { type Gpu, requireHalves } from '../../../src/gpu/device';
import { storeHalves } from '../../../src/gpu/halves';
import { composeShader } from '../../../src/gpu/wgsl';
import { halvedDispatches } from '../../shader-rules';

const shader = `@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> max_x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
`;

describe('storeHalves', () => {
  test('leaves a text without f16 bindings as it is', () => {
    expect(storeHalves(shader, [])).toBe(shader);
  });

  test('reads as f32, and writes what f16 holds', () => {
    const text = storeHalves(`${shader}y[i] = a * x[at[i] + 1u] + b;`, ['x', 'y']);
    expect(text).toContain('enable f16;');
    expect(text).toContain('x: array<vec4<f16>>');
    expect(text).toContain('y: array<vec4<f16>>');
    expect(text).toContain('max_x: array<f32>');
    expect(text).toContain(
      'y[i] = vec4<f16>(clamp(a * vec4<f32>(x[at[i] + 1u]) + b, vec4<f32>(-65504.0), vec4<f32>(65504.0)));',
    );
  });

  test('knows a name from the end of another, and numbers from vectors', () => {
    const text = storeHalves(`${shader}let a = max_x[i] + s.x[0] + f32(i == 2u);`, ['max_x']);
    expect(text).toContain('let a = f32(max_x[i]) + s.x[0]');
  });

  test('a comparison is a read', () => {
    expect(storeHalves(`${shader}if (max_x[i] == 0.0) {`, ['max_x'])).toContain('if (f32(max_x[i]) == 0.0)');
  });

  test.each(['y[i] += a;', 'y[i].x = 1.0;', 'y[i][2] = 1.0;'])('refuses %s', (use) => {
    expect(() => storeHalves(shader + use, ['y'])).toThrow('f16');
  });

  test('refuses a binding that is not there', () => {
    expect(() => storeHalves(shader, ['z'])).toThrow('no binding z');
  });
});

test('every shader that a training step gives f16 tensors takes them', () => {
  const dispatches = halvedDispatches();
  expect(dispatches.length).toBeGreaterThan(40);
  for (const { shader: id, constants, halves } of dispatches)
    for (const name of halves)
      expect(composeShader(id, constants, halves)).toMatch(
        new RegExp(`var<storage, \\w+> ${name}: array<(vec4<f16>|f16)>`),
      );
});

test('a device without f16 says so and names the way out', () => {
  const gpu = (features: string[]) =>
    ({ name: 'old GPU', device: { features: new Set(features) } }) as unknown as Gpu;
  expect(() => requireHalves(gpu([]))).toThrow(/old GPU.*shader-f16.*choose storage f32/);
  expect(() => requireHalves(gpu(['shader-f16']))).not.toThrow();
});
