import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../../src/cli/main';
import { fakeContext } from './fake';

let folder: string;
beforeAll(() => {
  folder = process.env.KEEP ?? mkdtempSync(join(tmpdir(), 'refocus-recipe-'));
});
afterAll(() => {
  if (!process.env.KEEP) rmSync(folder, { recursive: true });
});

test('x', async () => {
  const context = fakeContext();
  const args = process.env.ARGS?.split(' ') ?? ['reviewers', '--limit', '256', '--epochs', '2'];
  const status = await run(['export-recipe', ...args, '--overwrite', '--out', folder], context);
  expect(status, context.stderr.join('\n')).toBe(0);
  console.log(context.stdout.join('\n'), context.stderr.join('\n'));
  console.log(readdirSync(folder), readFileSync(join(folder, 'recipe.json'), 'utf8').slice(0, 3000));
});
