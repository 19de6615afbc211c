import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const guides = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'shaders/README.md',
  'test/fixtures/README.md',
];
const pages = [
  ...guides,
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const read = (file: string) => readFileSync(file, 'utf8');
const scripts = Object.keys(JSON.parse(read('package.json')).scripts);

/** Paths from the root of the repository, whole (`src/ops/add.ts`, `src/ops`). */
const PATH = /(?<![\w./*-])(?:src|shaders|docs|test|tools|weights)\/[\w./-]*\w(?![\w*{])/g;
/** Targets of links that do not lead out of the repository, without their anchors. */
const LINK = /\]\((?!\w+:)([^)#]+)/g;

/** What a guide leaves open, and folders that a command makes. */
const isOpen = (path: string) => /NAME|FAMILY/.test(path) || path === 'docs/api';

const folderOf = (page: string) => page.replace(/[^/]*$/, '');

test.each(pages)('%s names files that are there', (page) => {
  const text = read(page);
  const paths = [...text.matchAll(PATH)].map(([path]) => path);
  const links = [...text.matchAll(LINK)].map(([, target]) => `${folderOf(page)}${target}`);
  expect([...paths, ...links].filter((path) => !existsSync(path) && !isOpen(path))).toEqual([]);
});

test.each(pages)('%s names commands that package.json has', (page) => {
  const named = [...read(page).matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, script]) => script);
  expect(named.filter((script) => !scripts.includes(script))).toEqual([]);
});

test('the tree in docs/architecture.md has every room, every family of shaders and nothing twice', () => {
  const [, tree] = read('docs/architecture.md').match(/^```tree\n(.*?)^```/ms)!;
  const named = [...tree.matchAll(/^\S+/gm)].map(([path]) => path.replace(/\/$/, ''));
  const inside = (folder: string) =>
    readdirSync(folder)
      .filter((name) => !name.endsWith('.md'))
      .map((name) => `${folder}/${name}`);
  const atTop = named.filter((path) => path.split('/').length === 2);
  expect(atTop.sort()).toEqual([...inside('src'), ...inside('shaders')].sort());
  expect(new Set(named).size).toBe(named.length);
});
