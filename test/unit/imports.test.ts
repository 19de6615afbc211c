import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/** What each part may import, besides itself and src/errors.ts. */
const ALLOWED: Record<string, string[]> = {
  graph: [],
  ops: ['graph'],
  gpu: ['graph'],
  runtime: ['graph', 'gpu'],
  io: ['graph'],
  data: ['graph', 'ops', 'io'],
  optim: ['graph', 'ops'],
  analysis: ['graph'],
  nn: ['graph', 'ops', 'runtime'],
  verify: ['graph', 'ops', 'gpu', 'runtime', 'nn', 'optim', 'io'],
  train: ['graph', 'ops', 'gpu', 'runtime', 'nn', 'optim', 'data', 'io', 'analysis'],
  bench: ['graph', 'ops', 'gpu', 'runtime', 'nn', 'train'],
  worker: ['train', 'verify', 'bench', 'gpu', 'data', 'analysis'],
  cli: ['worker', 'bench', 'train', 'nn', 'data', 'graph'],
  page: ['worker', 'train', 'nn', 'data', 'analysis'],
};

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((f) => /\.tsx?$/.test(f));
const part = (file: string) => file.split('/')[0];
const read = (file: string) => readFileSync(join('src', file), 'utf8');

/** Paths under src/ that a file imports. */
function imports(file: string): string[] {
  return [...read(file).matchAll(/from '(\.[^']+)'/g)].map(([, to]) => normalize(join(dirname(file), to)));
}

test('imports go one way, from the page down to the graph', () => {
  const wrong = files.flatMap((file) =>
    imports(file)
      .filter((to) => part(to) !== part(file) && to !== 'errors' && !to.startsWith('..'))
      .filter((to) => !ALLOWED[part(file)]?.includes(part(to)))
      .map((to) => `${file} imports ${to}`),
  );
  expect(wrong).toEqual([]);
});

test('only gpu/ and runtime/ touch the GPU', () => {
  const calls = /\bcreate(Buffer|BindGroup|ComputePipeline\w*|ShaderModule|CommandEncoder)\(/;
  const touching = files.filter((f) => !['gpu', 'runtime'].includes(part(f)) && calls.test(read(f)));
  expect(touching).toEqual([]);
});
