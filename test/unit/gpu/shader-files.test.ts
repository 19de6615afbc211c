import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { directivesOf } from '../../../src/gpu/wgsl/declarations';
import { importOf, withImports } from '../../../src/gpu/wgsl/imports';
import { linesOf } from '../../../src/gpu/wgsl/lines';
import { shaders } from '../../../src/gpu/wgsl/shaders';
import { declaredIn, usedIn } from './names';

await shaders.load();

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

const readme = readFileSync('shaders/README.md', 'utf8');

/** The part of shaders/README.md under a heading. */
const section = (heading: string): string => readme.split(`\n## ${heading}\n`)[1].split('\n## ')[0];

test('shaders/README.md lists every entry point once, and no other', () => {
  const listed = [...section('The kernels').matchAll(/^\| `(\S+)`/gm)].map(([, id]) => id);
  expect(listed.sort()).toEqual(shaders.ids());
});

test('its glossary names constants that the shaders declare', () => {
  const named = [...section('What the parts of a dispatch are called').matchAll(/`([A-Z]\w+)`/g)];
  const declared = new Set(
    shaders.ids().flatMap((id) => {
      const { constants, sizes } = shaders.declarations(id);
      return [...constants.keys(), ...sizes.keys()];
    }),
  );
  expect(named.length).toBeGreaterThan(8);
  expect(named.map(([, name]) => name).filter((name) => !declared.has(name))).toEqual([]);
});

test('it explains every directive', () => {
  const explained = new Set([...section('Directives').matchAll(/^\| `\/\/#(\w+)/gm)].map(([, name]) => name));
  const used = [...sources].flatMap(([id, text]) => linesOf(id, text).flatMap(directivesOf));
  expect(new Set(used.map((directive) => directive.split(' ')[0]))).toEqual(explained);
});
