import { expect, test } from 'vitest';
import { cellsOf } from '../../../src/experiment/cells';
import { parseExperiment } from '../../../src/experiment/experiment';
import { type ExperimentResults, resultsOf } from '../../../src/experiment/results';
import { combined, parseResults } from '../../../src/experiment/results-file';
import { experimentHtml } from '../../../src/report/experiment';
import { endedRun } from '../report/runs';

const experiment = parseExperiment(
  {
    name: 'x',
    arms: ['none', 'finetune', 'refocus', 'precondition'],
    seeds: [0, 1, 2],
    settings: { lr: 0.1 },
  },
  'x.json',
);

/** @param wrong of a hundred test images, by seed */
function results(wrong: number[]): ExperimentResults {
  const cells = cellsOf(experiment).filter(({ arm }) => arm !== 'precondition');
  const ended = cells.map((cell) => {
    const few = Array.from({ length: wrong[cell.seed] - (cell.arm === 'refocus' ? 3 : 0) }, (_, i) => i);
    const { name: _, ...run } = endedRun({ method: cell.arm as 'refocus', seed: cell.seed, wrong: few });
    return { cell, run };
  });
  return resultsOf(experiment, ended, '2026-01-02T03:04:05.678Z');
}
const written = (value: unknown) => JSON.parse(JSON.stringify(value));

test('results are read as they were written', () => {
  const made = results([20, 30, 40]);
  expect(written(parseResults(written(made), 'results.json'))).toEqual(written(made));
});

test('of results without what follows from the runs it is reckoned; what PyTorch does not measure is left out', () => {
  const made = results([20, 30, 40]);
  const runs = made.runs.map(
    ({ peakBytes: _, dispatches: __, bytesPerStep: ___, flopsPerStep: ____, ...run }) => ({
      ...run,
      divergence: [null, null],
    }),
  );
  const read = parseResults(written({ ...made, runs, arms: [], comparisons: [] }), 'results.json');
  expect(read.comparisons).toEqual(made.comparisons);
  expect(read.arms.map(({ last }) => last)).toEqual(made.arms.map(({ last }) => last));
  expect(read.arms[1]).not.toHaveProperty('peakBytes');
  expect(read.runs[0].divergence).toEqual([Number.NaN, Number.NaN]);
  expect(experimentHtml(read)).not.toMatch(/NaN|undefined|Infinity/);
});

test('what is no file of results is named', () => {
  const made = results([20, 30, 40]);
  const parse = (value: unknown) => () => parseResults(written(value), 'some.json');
  expect(parse(null)).toThrow('some.json holds no results of an experiment');
  expect(parse({ ...made, version: 2 })).toThrow('version is not what it should be');
  expect(parse({ ...made, runs: [{ ...made.runs[0], lr: 'fast' }] })).toThrow(
    'runs.0.lr is not what it should be',
  );
  expect(parse({ ...made, runs: [{ ...made.runs[0], arm: 'other' }] })).toThrow('has no arm other');
  expect(parse({ ...made, experiment: { name: 'x' } })).toThrow('some.json, experiment');
});

test('experiments beside each other: arms by their names, each compared with each, seed by seed', () => {
  const here = results([20, 30, 40]);
  const there = parseResults(written(results([21, 30, 40])), 'there');
  const both = combined([
    { name: 'engine', results: here },
    { name: 'PyTorch', results: there },
  ]);
  expect(both.experiment.reference).toBe('finetune (engine)');
  expect(both.arms.map(({ arm }) => arm)).toEqual(
    ['engine', 'PyTorch'].flatMap((name) =>
      ['none', 'finetune', 'refocus', 'precondition'].map((arm) => `${arm} (${name})`),
    ),
  );
  const between = (arm: string, against: string) =>
    both.comparisons.find((one) => one.arm === arm && one.against === against)!;
  expect(between('refocus (engine)', 'finetune (engine)').last.differences).toEqual(
    here.comparisons.find(({ arm }) => arm === 'refocus')!.last.differences,
  );
  expect(between('finetune (PyTorch)', 'finetune (engine)').last.wins).toBe(0);
  expect(between('finetune (PyTorch)', 'finetune (engine)').last).toMatchObject({ losses: 1, ties: 2 });
  expect(both.missing).toContain('PyTorch/runs/precondition-seed1');
  expect(both.unequal).toEqual([]);
  const slower = { ...there, experiment: { ...experiment, settings: { ...experiment.settings, epochs: 7 } } };
  expect(
    combined([
      { name: 'a', results: here },
      { name: 'b', results: slower },
    ]).unequal,
  ).toEqual(['epochs']);
  expect(experimentHtml(both)).toContain('Refocused (PyTorch)');
});
