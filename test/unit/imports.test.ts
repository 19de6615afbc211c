import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/**
 * What each room imports, besides itself, src/errors.ts and src/turns.ts: these edges and no others. Files at the top of src are
 * rooms of their own.
 */
const EDGES: Record<string, string[]> = {
  ops: ['graph'],
  passes: ['graph', 'ops'],
  gpu: ['graph'],
  runtime: ['graph', 'gpu'],
  data: ['io'],
  remote: ['io'],
  model: ['graph', 'ops', 'io'],
  train: ['graph', 'analysis', 'ops', 'passes', 'gpu', 'runtime', 'model', 'data', 'io'],
  run: ['graph', 'gpu', 'runtime', 'model', 'data', 'io', 'analysis', 'train'],
  verify: ['graph', 'ops', 'passes', 'gpu', 'runtime', 'model', 'io', 'train'],
  bench: ['graph', 'ops', 'passes', 'gpu', 'runtime', 'model', 'data', 'io', 'train', 'run'],
  api: ['analysis', 'bench', 'data', 'run', 'train', 'verify'],
  engine: ['api', 'bench', 'gpu', 'run', 'train', 'verify'],
  node: ['api', 'engine', 'gpu'],
  worker: ['api', 'engine'],
  index: ['api', 'data', 'graph', 'io', 'model', 'run', 'runtime', 'train', 'worker'],
  experiment: ['analysis', 'data', 'run', 'train'],
  recipe: ['data', 'experiment', 'graph', 'io', 'model', 'run', 'train'],
  report: ['analysis', 'io', 'run', 'train', 'experiment'],
  cli: [
    'api',
    'node',
    'worker',
    'bench',
    'data',
    'graph',
    'io',
    'model',
    'run',
    'train',
    'experiment',
    'recipe',
    'report',
    'remote',
  ],
  page: ['api', 'analysis', 'worker', 'data', 'model', 'run', 'train', 'experiment', 'report', 'remote'],
};

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((f) => /\.tsx?$/.test(f));
const roomOf = (file: string) => file.split('/')[0].replace(/\.tsx?$/, '');
const read = (file: string) => readFileSync(join('src', file), 'utf8');

/** The sources that a file imports: values and types, now or on demand. */
function imports(file: string): string[] {
  const paths = [...read(file).matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^'?]+)'/g)].map(([, to]) =>
    normalize(join(dirname(file), to)),
  );
  return [...new Set(paths.flatMap((path) => sources.filter((f) => names(path, f))))];
}

/** Whether a path without or with its ending, or a folder with an index, means that file. */
const names = (path: string, file: string): boolean =>
  file === path || file.replace(/(\/index)?\.tsx?$/, '') === path;

const graph = new Map(sources.map((file) => [file, imports(file)]));

test('imports go from room to room along the known edges, and every edge is used', () => {
  const found: Record<string, Set<string>> = {};
  for (const [file, targets] of graph) {
    const rooms = targets
      .map(roomOf)
      .filter((room) => room !== roomOf(file) && !['errors', 'turns'].includes(room));
    if (rooms.length > 0) found[roomOf(file)] = new Set([...(found[roomOf(file)] ?? []), ...rooms]);
  }
  const sorted = (edges: Record<string, Iterable<string>>) =>
    Object.fromEntries(Object.entries(edges).map(([room, to]) => [room, [...to].sort()]));
  expect(sorted(found)).toEqual(sorted(EDGES));
});

test('no files import each other in a circle, not even types', () => {
  expect(circles(graph)).toEqual([]);
});

test('a circle is found, through however many files', () => {
  const edges = { a: ['b'], b: ['c', 'd'], c: ['a'], d: ['e'], e: [], f: ['f', 'a'] };
  expect(circles(new Map(Object.entries(edges)))).toEqual([['a', 'b', 'c'], ['f']]);
});

/** The sets of nodes that reach each other, sorted. */
function circles(edges: Map<string, string[]>): string[][] {
  const reachable = new Map([...edges.keys()].map((node) => [node, reach(edges, node)]));
  const sets = [...edges.keys()].map((a) =>
    [...reachable.get(a)!].filter((b) => reachable.get(b)!.has(a)).sort(),
  );
  return [...new Set(sets.filter((set) => set.length > 0).map((set) => set.join(' ')))]
    .sort()
    .map((s) => s.split(' '));
}

/** What is reached from a node in at least one step. */
function reach(edges: Map<string, string[]>, start: string): Set<string> {
  const seen = new Set<string>();
  const open = [...(edges.get(start) ?? [])];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    open.push(...(edges.get(node) ?? []));
  }
  return seen;
}

test('only gpu/ and runtime/ touch the GPU', () => {
  const calls = /\bcreate(Buffer|BindGroup|ComputePipeline\w*|ShaderModule|CommandEncoder)\(/;
  const touching = sources.filter((f) => !['gpu', 'runtime'].includes(roomOf(f)) && calls.test(read(f)));
  expect(touching).toEqual([]);
});

test('the picture in docs/architecture.md has these edges', () => {
  const text = readFileSync('docs/architecture.md', 'utf8');
  const [, picture] = text.match(/^```imports\n(.*?)\n```/ms)!;
  const rooms = picture.split('\n').map((row) => row.split(' ').at(-1)!);
  expect(new Set(rooms)).toEqual(new Set([...Object.keys(EDGES), ...Object.values(EDGES).flat()]));
  expect(picture).toBe(drawn(rooms));
});

/** A row a room, with an x for each room before it that it imports. */
const drawn = (rooms: string[]): string =>
  rooms
    .map((room, i) => {
      const later = EDGES[room]?.find((to) => !rooms.slice(0, i).includes(to));
      if (later) throw new Error(`${later} must stand above ${room}, which imports it`);
      const cells = rooms.slice(0, i).map((to) => (EDGES[room]?.includes(to) ? 'x' : '.').padEnd(to.length));
      return [...cells, room].join(' ');
    })
    .join('\n');
