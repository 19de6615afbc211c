import { expect, test } from 'vitest';
import { composeShader, shaderIds } from '../../src/gpu/wgsl';
import { compileFaults, shaderFaults, textFaults } from '../shader-rules';
import { gpu } from './harness';

test('there are shaders', () => {
  expect(shaderIds().length).toBeGreaterThan(0);
});

test.each(shaderIds())('%s compiles without a word and keeps the rules', async (id) => {
  expect(await shaderFaults(await gpu(), id)).toEqual([]);
});

test('broken shaders are seen as such', async () => {
  const code = composeShader('activation/forward');
  expect(await compileFaults(await gpu(), code.replace('activate(', 'activated('))).not.toEqual([]);
  expect(textFaults(code.replace(/^.*\n/, ''))).toEqual(['no formula in a comment at its head']);
  expect(textFaults(code.replace('WG: u32 = 64u', 'WG: u32 = 512u'))).toEqual(['512 threads a workgroup']);
  const buffers = Array.from(
    { length: 7 },
    (_, i) => `@group(0) @binding(${i + 2}) var<storage, read> more${i}: array<f32>;`,
  );
  expect(textFaults(code + buffers.join('\n'))).toEqual(['9 storage buffers']);
});
