import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  for (const script of ['train.py', 'network.py', 'draws.py', 'files.py', 'needs.py'])
    expect(bytesOf('connection', script).toString().trimEnd().split('\n').length).toBeLessThanOrEqual(300);
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

test('arms that the scripts do not know are refused by name before anything is written', async () => {
  const out = join(folder, 'refused');
  const file = join(folder, 'averages.json');
  const averaged = { name: 'averaged', arm: 'finetune', settings: { ema: 0.9 } };
  const sampled = { name: 'sampled', arm: 'finetune', settings: { balance: 'sampler' } };
  const arms = ['none', 'finetune', averaged, sampled, { ...averaged, name: 'averaged-too' }];
  writeFileSync(file, JSON.stringify({ name: 'averages', arms, seeds: [0] }));
  const { status, notes } = await exported(file, '--limit', '64', '--out', out);
  expect(status).toBe(2);
  expect(notes).toContain(
    'cannot run averaged, averaged-too (an average of the weights (--ema 0)); sampled (an order that balances classes (--balance loss)): --arms none,finetune leaves them out.',
  );
  expect(existsSync(out)).toBe(false);
  const shared = ['smoke', '--limit', '64', '--out', out];
  expect((await exported(...shared, '--mixup', '0.2')).notes).toContain(
    'random erasing, mixup and CutMix): change the settings that all arms share',
  );
  expect((await exported(...shared, '--augment', 'photos')).notes).toContain(
    'resized crops (--augment cifar or none)',
  );
});

test('a task that the scripts do not know is refused', async () => {
  const out = join(folder, 'masks');
  const { status, notes } = await exported('segmentation', '--limit', '32', '--out', out);
  expect(status).toBe(2);
  expect(notes).toContain('is a network for segmentation, which trains in experiments and runs alone');
  expect(existsSync(out)).toBe(false);
});

test('branches are layers of their own, and their convolution knows what they sum up to', async () => {
  const out = join(folder, 'structural');
  const asked = [
    'structural',
    '--arms',
    'finetune,repvgg,dbb',
    '--no-lr-search',
    '--limit',
    '64',
    '--out',
    out,
  ];
  const { status, notes } = await exported(...asked);
  expect(status, notes).toBe(0);
  const { models } = JSON.parse(bytesOf('structural', 'recipe.json').toString());
  type Told = { kind: string; id: number; inputs: number[]; name?: string; sum?: number; branches?: unknown };
  for (const arm of ['repvgg', 'dbb']) {
    const layers: Told[] = models[arm].layers;
    const branched = layers.filter(({ branches }) => branches);
    expect(branched.length).toBeGreaterThan(0);
    for (const { sum, name } of branched) {
      const add = layers.find(({ id }) => id === sum)!;
      expect(add.kind).toBe('add');
      // the last branch ends with a norm of its own, and nobody adds to the sum another of them
      const maker = layers.find(({ id }) => id === add.inputs[1])!;
      expect(maker.name).toContain(`${name}.branches.`);
      const next = layers.filter(({ inputs }) => inputs.includes(sum!));
      expect(
        next.flatMap(({ inputs }) => inputs.map((id) => layers.find((of) => of.id === id)?.name ?? '')),
      ).not.toContainEqual(expect.stringContaining(`${name}.branches.`));
    }
  }
});

test('a recipe knows its files by their bytes, and is written anew from its own folder alone', async () => {
  const out = join(folder, 'copied');
  const { status, notes } = await exported('smoke', '--limit', '64', '--epochs', '3', '--out', out);
  expect(status, notes).toBe(0);
  const told = JSON.parse(bytesOf('copied', 'recipe.json').toString()).files;
  const parts = ['train-images', 'train-labels', 'test-images', 'test-labels'].map((part) => `${part}.npy`);
  expect(Object.keys(told).sort()).toEqual(['base.safetensors', ...parts].sort());
  const names = ['recipe.json', ...Object.keys(told)];
  const before = new Map(names.map((name) => [name, bytesOf('copied', name)]));
  const changed = await exported(out, '--out', out, '--overwrite', '--epochs', '4');
  expect(changed.status).toBe(2);
  expect(changed.notes).toContain(`--epochs cannot change the experiment of ${out}`);
  for (const name of Object.keys(told)) {
    expect(before.get(name)).toHaveLength(told[name]);
    rmSync(join(out, name));
  }
  const anew = await exported(out, '--out', out, '--overwrite');
  expect(anew.status, anew.notes).toBe(0);
  for (const name of Object.keys(told))
    expect(bytesOf('copied', name).equals(before.get(name)!), name).toBe(true);
  expect(JSON.parse(bytesOf('copied', 'recipe.json').toString())).toEqual(
    JSON.parse(before.get('recipe.json')!.toString()),
  );
});

test('the report of a recipe that was not run, or not to its end, says how to go on', async () => {
  const out = join(folder, 'waiting');
  expect((await exported('smoke', '--limit', '64', '--no-lr-search', '--out', out)).status).toBe(0);
  const context = fakeContext();
  expect(await run(['report', out], context)).toBe(2);
  expect(context.stderr.join('\n')).toContain(
    `is a recipe of which no run has come to its end: python3 ${join(out, 'train.py')} runs it`,
  );
  const { experiment, cells } = JSON.parse(bytesOf('waiting', 'recipe.json').toString());
  const format = { format: 'refocus experiment results', version: 1, date: '2026-01-02', complete: false };
  const missing = cells.map(({ id }: { id: string }) => id);
  const empty = { rates: [], runs: [], arms: [], comparisons: [], unequal: [] };
  writeFileSync(join(out, 'results.json'), JSON.stringify({ ...format, experiment, missing, ...empty }));
  const begun = fakeContext();
  expect(await run(['report', out], begun), begun.stderr.join('\n')).toBe(0);
  expect(begun.stderr.join('\n')).toContain(
    `${missing.length} of its runs are still to come: python3 ${join(out, 'train.py')} goes on with them.`,
  );
});

test('a folder that holds something is not written into', async () => {
  const { status, notes } = await exported('smoke', '--limit', '64', '--out', folder);
  expect(status).toBe(2);
  expect(notes).toContain('holds something already');
});

test('the report of what a recipe has left completes its results, and stands beside others', async () => {
  const out = join(folder, 'reported');
  const made = await exported('smoke', '--limit', '64', '--no-lr-search', '--lr', '0.01', '--out', out);
  expect(made.status, made.notes).toBe(0);
  const { experiment, cells } = JSON.parse(bytesOf('reported', 'recipe.json').toString());
  const runs = cells.map((cell: { arm: string; seed: number; id: string }) => ({
    ...{
      arm: cell.arm,
      seed: cell.seed,
      folder: cell.id,
      lr: 0.01,
      ended: 'finished',
      loss: 1,
      steps: 2,
      stepMs: 3,
    },
    ...{
      accuracy: { base: 0.5, last: 0.5 + cell.seed / 10, best: 0.7 },
      bestEpoch: 1,
      testImages: 64,
      seconds: 4,
    },
    ...{ proof: { ok: true, maxRelLogitDiff: 1e-7, top1Agreement: 1 }, divergence: [0.1, null], evals: [] },
    ...{ training: [{ step: 1, loss: 2, accuracy: 0.4 }], adapter: 'CPU, PyTorch 2.0', version: '0.1.0' },
  }));
  const format = { format: 'refocus experiment results', version: 1, date: '2026-01-02', complete: true };
  const empty = { missing: [], rates: [], arms: [], comparisons: [], unequal: [] };
  const results = JSON.stringify({ ...format, experiment, runs, ...empty });
  writeFileSync(join(out, 'results.json'), results);
  const context = fakeContext();
  expect(await run(['report', out], context), context.stderr.join('\n')).toBe(0);
  expect(bytesOf('reported', 'report.html').toString()).toContain('CPU, PyTorch 2.0');
  const completed = JSON.parse(bytesOf('reported', 'results.json').toString());
  expect(completed.arms[1]).toMatchObject({ arm: 'finetune', last: { values: [0.5, 0.6] } });
  const other = join(folder, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'results.json'), results);
  const html = join(folder, 'both.html');
  expect(await run(['report', out, other, '--out', html], context), context.stderr.join('\n')).toBe(0);
  expect(readFileSync(html, 'utf8')).toContain('Refocused (other)');
  const mixed = fakeContext();
  expect(await run(['report', out, folder], mixed)).toBe(2);
  expect(mixed.stderr.join()).toContain('report them apart');
});

test('the scripts, which go through the runs once, meet an arm that starts from another after that one', async () => {
  const file = join(folder, 'then.json');
  const arms = ['refocus', { name: 'then', arm: 'finetune', from: 'refocus' }];
  const settings = { epochs: 1, limit: 100, batch: 16 };
  writeFileSync(
    file,
    JSON.stringify({ name: 'then', arms, seeds: [3], lrSearch: { rates: [0.1] }, settings }),
  );
  expect((await exported(file, '--out', join(folder, 'then'))).status).toBe(0);
  const { cells } = JSON.parse(bytesOf('then', 'recipe.json').toString());
  expect(cells.map(({ id }: { id: string }) => id)).toEqual([
    'search/refocus-lr0.1',
    'runs/refocus-seed3',
    'search/then-lr0.1',
    'runs/then-seed3',
  ]);
});
