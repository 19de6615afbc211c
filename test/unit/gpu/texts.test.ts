import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withImports } from '../../../src/gpu/wgsl/imports';
import { pathOf } from '../../../src/gpu/wgsl/lines';
import { Shaders, shaders } from '../../../src/gpu/wgsl/shaders';
import { firstTexts, moreTexts } from '../../../src/gpu/wgsl/texts';
import { GPU_TUNING, SOFTWARE_TUNING } from '../../../src/graph/tuning';
import { builtinModel } from '../../../src/model/builtin';
import { buildPrograms } from '../../../src/train/run-programs';
import { trainedModel } from '../../../src/train/trained-model';
import { runSettings } from '../../settings';

test('every file of shaders/ is in one of the two parts', async () => {
  const files = readdirSync('shaders', { recursive: true, encoding: 'utf8' });
  const known = [firstTexts, await moreTexts()].flatMap(Object.keys);
  expect(known.map((path) => path.replace(/^.*\/shaders\//, '')).sort()).toEqual(
    files.filter((name) => name.endsWith('.wgsl')).sort(),
  );
});

test('the first part is enough for the built-in job, and holds no more than that', () => {
  // what a device is asked before all
  const used = new Set(['probe/quads']);
  for (const tuning of [GPU_TUNING, SOFTWARE_TUNING]) {
    for (const batch of [64, 125]) {
      const settings = { ...runSettings(), batch };
      const images = { count: 1000, height: 32, width: 32 };
      const model = trainedModel(builtinModel(), settings);
      const { program, evaluation } = buildPrograms({ model, settings, tuning, train: images, test: images });
      for (const { shader } of [...program.plan.dispatches, ...evaluation.plan.dispatches]) used.add(shader);
    }
  }
  expect(shaders.ids()).toEqual([...used].sort());
  const imported = new Set<string>();
  for (const id of shaders.ids())
    for (const subgroups of [false, true])
      for (const { file } of withImports(shaders.sources, id, subgroups)) imported.add(file);
  expect([...imported].sort()).toEqual([...shaders.sources.keys()].map(pathOf).sort());
});

test('what is missing is loaded once, when it is asked for', async () => {
  let loads = 0;
  const library = new Shaders(new Map([['a', 'fn a() {}']]), async () => {
    loads += 1;
    return new Map([['b', 'fn b() {}']]);
  });
  await library.load(['a']);
  expect(loads).toBe(0);
  expect(library.ids()).toEqual(['a']);
  await library.load(['a', 'b']);
  expect(library.ids()).toEqual(['a', 'b']);
  await library.load(['b']);
  expect(loads).toBe(1);
});
