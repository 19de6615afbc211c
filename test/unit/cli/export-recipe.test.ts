import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../../src/cli/main';
import { generateBuiltin } from '../../../src/data/builtin/builtin';
import { readSafetensors } from '../../../src/io/safetensors';
import { fakeContext } from './fake';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'refocus-recipe-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function exported(...args: string[]) {
  const context = fakeContext();
  const status = await run(['export-recipe', ...args], context);
  return { status, stdout: context.stdout.join('\n'), notes: context.stderr.join('\n') };
}
const bytesOf = (...path: string[]) => readFileSync(join(folder, ...path));

/** Type, shape and numbers of a file of NumPy's. */
function npy(bytes: Buffer) {
  expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x93NUMPY\x01\0');
  const start = 10 + bytes.readUInt16LE(8);
  expect(start % 64).toBe(0);
  const header = bytes.subarray(10, start).toString();
  const [, type, shape] = header.match(
    /^\{'descr': '(.*)', 'fortran_order': False, 'shape': \((.*)\), } *\n$/,
  )!;
  return { type, shape, data: bytes.subarray(start) };
}

test('a preset becomes scripts, its cells with all settings decided, the network and the images', async () => {
  const out = join(folder, 'connection');
  const asked = [
    'connection',
    '--limit',
    '300',
    '--seeds',
    '2',
    '--epochs',
    '2',
    '--batch',
    '32',
    '--out',
    out,
  ];
  const { status, stdout, notes } = await exported(...asked);
  expect(status, notes).toBe(0);
  const recipe = JSON.parse(bytesOf('connection', 'recipe.json').toString());
  expect(recipe).toMatchObject({ format: 'refocus recipe', version: 1, newHead: false });
  expect(JSON.parse(stdout)).toMatchObject({ folder: out, cells: recipe.cells.length });
  for (const script of ['train.py', 'network.py', 'draws.py', 'files.py'])
    expect(bytesOf('connection', script).toString().split('\n').length).toBeLessThan(300);
  const text = JSON.stringify(recipe.cells);
  expect(text).not.toMatch(/"(batch|repeats|augment|cropPadding|mean)":"auto"/);
  // searches begin; the arm with the rate of another has none of its own
  expect(recipe.cells[0]).toMatchObject({ kind: 'search', seed: 0, settings: { validate: true, batch: 32 } });
  const cell = (id: string) => recipe.cells.find((one: { id: string }) => one.id === id);
  expect(cell('runs/precondition-seed1')).toMatchObject({
    rate: { arm: 'refocus', times: 1 },
    settings: { method: 'precondition', seed: 1, imageSeed: 0 },
  });
  const kinds = (model: { layers: Record<string, unknown>[] }) =>
    model.layers.filter((layer) => layer.refconv ?? layer.precondition).length;
  expect(kinds(recipe.models.refocus)).toBeGreaterThan(0);
  expect(kinds(recipe.models.precondition)).toBe(kinds(recipe.models.refocus));
  expect(kinds(recipe.model)).toBe(0);
  expect(recipe.search.train.length + recipe.search.held.length).toBe(300);
  expect(new Set([...recipe.search.train, ...recipe.search.held]).size).toBe(300);

  const set = recipe.experiment.data[0];
  const images = generateBuiltin({ set, split: 'train', count: 300 });
  const pixels = npy(bytesOf('connection', 'train-images.npy'));
  expect(pixels).toMatchObject({ type: '|u1', shape: '300, 32, 32, 3' });
  expect(pixels.data.equals(images.pixels as Uint8Array)).toBe(true);
  const labels = npy(bytesOf('connection', 'train-labels.npy'));
  expect(labels).toMatchObject({ type: '<u2', shape: '300,' });
  expect(labels.data.equals(new Uint8Array(images.labels.buffer))).toBe(true);
  const base = readSafetensors(bytesOf('connection', 'base.safetensors'), 'base.safetensors').tensors;
  expect([...base.keys()]).toEqual(recipe.model.state.map(({ name }: { name: string }) => name));
  expect(Object.values(recipe.written.names).sort()).toEqual([...base.keys()].sort());
});

test('arms that the scripts do not know are refused by name before images are written', async () => {
  const out = join(folder, 'structural');
  const { status, notes } = await exported('structural', '--limit', '64', '--out', out);
  expect(status).toBe(2);
  expect(notes).toContain('cannot run acnet, repvgg, dbb, orepa (branches beside kernels)');
  expect(notes).toMatch(/--arms [a-z,-]*finetune,refocus,refocus-twice leaves them out/);
  expect(existsSync(join(out, 'train.py'))).toBe(false);
  const shared = ['smoke', '--limit', '64', '--out', out];
  expect((await exported(...shared, '--mixup', '0.2')).notes).toContain('random erasing, mixup and CutMix');
  expect((await exported(...shared, '--augment', 'photos')).notes).toContain(
    'resized crops (--augment cifar or none)',
  );
});

test('a folder that holds something is not written into', async () => {
  const { status, notes } = await exported('smoke', '--limit', '64', '--out', folder);
  expect(status).toBe(2);
  expect(notes).toContain('holds something already');
});
