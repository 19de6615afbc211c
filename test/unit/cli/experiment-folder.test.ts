import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ExperimentFolder } from '../../../src/cli/experiment/folder';
import { parseExperiment } from '../../../src/experiment/experiment';

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'refocus-experiment-folder-'));
});
afterEach(() => rmSync(path, { recursive: true }));

const opened = () =>
  new ExperimentFolder(
    path,
    parseExperiment(
      { name: 'own', arms: ['finetune'], seeds: [3], lrSearch: { rates: [0.1] } },
      'experiment.json',
    ),
  );

function write(cell: string, ...names: string[]): void {
  mkdirSync(join(path, cell), { recursive: true });
  for (const name of names) writeFileSync(join(path, cell, name), 'numbers');
}

test.each([
  // weights without the model are of no network that is known by their names
  ['merged.onnx', ['merged.onnx', 'merged.safetensors', 'best.onnx']],
  ['merged.safetensors', ['merged.safetensors', 'merged.pth']],
  ['merged.pth', ['merged.pth', 'best.pth']],
])('what another arm or an analysis goes on from is %s', (name, files) => {
  write('runs/finetune-seed3', ...files);
  expect(opened().weightsOf('runs/finetune-seed3')).toBe(join(path, 'runs/finetune-seed3', name));
});

test('a run of a search keeps no weights, of whatever format', async () => {
  const folder = opened();
  const cell = folder.cells.find(({ kind }) => kind === 'search')!;
  const weights = ['merged', 'best'].flatMap((name) =>
    ['onnx', 'safetensors', 'pth'].map((e) => `${name}.${e}`),
  );
  write(cell.id, 'report.json', ...weights);
  await folder.tidy(cell);
  expect(readdirSync(folder.cellFolder(cell))).toEqual(['report.json']);
});
