import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseExperiment } from '../../../src/experiment/experiment';
import { findingsPage, source, target } from '../../../tools/findings';

const markdown = readFileSync(source, 'utf8');

test('the page of the findings is that of their document: npm run findings', () => {
  expect(readFileSync(target, 'utf8')).toBe(findingsPage(markdown));
});

test('it asks for nothing but what lies beside it', () => {
  const page = findingsPage(markdown);
  const asked = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, at]) => at);
  expect(asked.filter((at) => /\.svg$/.test(at)).length).toBeGreaterThan(3);
  for (const at of asked)
    if (!/^(https?:|#|\.\/$)/.test(at)) expect(existsSync(join(target, '..', at)), at).toBe(true);
  expect(page).not.toMatch(/<script|style=/);
});

test('its links within itself lead to a heading', () => {
  const page = findingsPage(markdown);
  const named = [...page.matchAll(/href="#([^"]*)"/g)].map(([, id]) => id);
  expect(named).toContain('maps-of-5--5');
  for (const id of named) expect(page).toContain(` id="${id}">`);
});

test('every experiment beside it is one, and is named with the command that repeats it', () => {
  const folder = join(source, '..', 'findings');
  for (const file of readdirSync(folder)) {
    const { name, arms } = parseExperiment(JSON.parse(readFileSync(join(folder, file), 'utf8')), file);
    expect(file).toBe(`${name}.json`);
    expect(arms.length).toBeGreaterThan(1);
    expect(markdown).toMatch(new RegExp(`refocus -- (experiment|export-recipe) docs/findings/${file} `));
  }
});
