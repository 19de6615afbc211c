import { expect, test } from 'vitest';
import { Pipelines } from '../../src/gpu/pipelines';
import { Shaders, shaders } from '../../src/gpu/wgsl/shaders';
import { compileFaults, exampleConstants, shaderFaults, textFaults } from '../shader-rules';
import { gpu } from './harness';

await shaders.load();

test('there are shaders', () => {
  expect(shaders.ids().length).toBeGreaterThan(0);
});

test.each(shaders.ids())('%s compiles without a word and keeps the rules', async (id) => {
  expect(await shaderFaults(await gpu(), id)).toEqual([]);
});

test('broken shaders are seen as such', async () => {
  const id = 'activation/forward';
  const { code } = shaders.compose(id, exampleConstants(id, false));
  expect(await compileFaults(await gpu(), code.replace('activate(', 'activated('))).not.toEqual([]);
  const text = shaders.sources.get(id)!;
  expect(textFaults(id, text.replace(/^.*\n/, ''))).toEqual(['no formula in a comment at its head']);
  expect(textFaults(id, text.replace('WG = 64u', 'WG = 512u'))).toEqual(['512 threads a workgroup']);
});

test('a compile error names the line on disk and shows it between its neighbours', async () => {
  const device = await gpu();
  const id = 'pointwise/forward';
  const text = shaders.sources.get(id)!;
  const broken = text.replace('write_tile(first, end', 'write_tiles(first, end');
  const number = broken.split('\n').findIndex((line) => line.includes('write_tiles')) + 1;
  const pipelines = new Pipelines(device, new Shaders(new Map(shaders.sources).set(id, broken)));
  const error = await pipelines.get(id, exampleConstants(id, false)).catch((e: Error) => e.message);
  expect(error).toContain(`shaders/pointwise/forward.wgsl:${number}: `);
  expect(error).toContain(`\n> ${number} | ${broken.split('\n')[number - 1]}\n`);
  expect(error).toMatch(/write_tiles/);
  expect(device.failure.error).toBeUndefined();
});
