import { expect, test } from 'vitest';
import { directivesOf } from '../../../src/gpu/wgsl/declarations';
import { importOf, withImports } from '../../../src/gpu/wgsl/imports';
import { linesOf } from '../../../src/gpu/wgsl/lines';
import { shaders } from '../../../src/gpu/wgsl/shaders';
import { declaredIn, usedIn } from './names';

const { sources } = shaders;
const common = [...sources.keys()].filter((id) => id.startsWith('common/'));
const textOf = (id: string) =>
  withImports(sources, id, false)
    .map(({ text }) => text)
    .join('\n');
const missing = (used: Set<string>, known: Set<string>) => [...used].filter((name) => !known.has(name));

test.each(shaders.ids())('%s names nothing that is not declared in it or its imports', (id) => {
  const known = declaredIn(textOf(id));
  expect(missing(usedIn(sources.get(id)!), known)).toEqual([]);
});

test.each(common)('%s says in //#needs all that it takes from who imports it, and no more', (id) => {
  const needs = linesOf(id, sources.get(id)!)
    .flatMap(directivesOf)
    .flatMap((d) => /^needs (.+)$/.exec(d)?.[1].split(', ') ?? [])
    .sort();
  // the uniform of the sizes comes with the sizes that are named
  const used = missing(usedIn(sources.get(id)!), declaredIn(textOf(id)).add('sizes'));
  expect(needs).toEqual(used.sort());
});

test('every common file is imported', () => {
  const imported = new Set([...sources].flatMap(([id, text]) => linesOf(id, text).map(importOf)));
  expect(common.filter((id) => !imported.has(id.replace('.subgroups', '')))).toEqual([]);
});
