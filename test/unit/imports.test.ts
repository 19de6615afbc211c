import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/** What each room may import, besides itself and src/errors.ts. Files at the top of src are rooms of their own. */
const ALLOWED: Record<string, string[]> = {
  graph: [],
  ops: ['graph'],
  passes: ['graph', 'ops'],
  gpu: ['graph'],
  runtime: ['graph', 'gpu'],
  io: [],
  data: ['io'],
  model: ['graph', 'ops', 'io'],
  analysis: [],
  train: ['graph', 'ops', 'passes', 'gpu', 'runtime', 'model', 'data', 'io'],
  run: ['graph', 'gpu', 'runtime', 'model', 'data', 'io', 'analysis', 'train'],
  verify: ['graph', 'ops', 'passes', 'gpu', 'runtime', 'model', 'io', 'train'],
  bench: ['graph', 'ops', 'passes', 'gpu', 'runtime', 'model', 'data', 'io', 'train', 'run'],
  api: ['analysis', 'bench', 'data', 'run', 'train', 'verify'],
  engine: ['api', 'bench', 'gpu', 'run', 'train', 'verify'],
  worker: ['api', 'engine'],
  cli: ['api', 'engine', 'worker', 'bench', 'graph', 'model', 'run', 'train'],
  page: ['api', 'worker', 'data', 'model', 'run', 'train'],
};

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((f) => /\.tsx?$/.test(f));
const part = (file: string) => file.split('/')[0].replace(/\.ts$/, '');
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
