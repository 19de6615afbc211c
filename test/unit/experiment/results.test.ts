import { expect, test } from 'vitest';
import { differenceOf } from '../../../src/experiment/arm-results';
import { type Cell, cellsOf } from '../../../src/experiment/cells';
import type { EndedCell } from '../../../src/experiment/ended-cells';
import { parseExperiment } from '../../../src/experiment/experiment';
import { resultsOf, summarised } from '../../../src/experiment/results';
import { parseResults } from '../../../src/experiment/results-file';
import type { Report } from '../../../src/run/report';
import { endedRun } from '../report/runs';

const experiment = parseExperiment(
  { name: 'x', arms: ['none', 'finetune', 'refocus'], seeds: [0, 1, 2], settings: { lr: 0.1 } },
  'x.json',
);
const cells = cellsOf(experiment);

/** @param wrong of a hundred test images, by arm and seed */
function ended(
  wrong: Record<string, number[]>,
  changes: (cell: Cell) => Partial<Report> = () => ({}),
): EndedCell[] {
  return cells.flatMap((cell) => {
    const few = wrong[cell.arm!]?.[cell.seed];
    if (few === undefined) return [];
    const { name: _, ...run } = endedRun({
      method: cell.arm as 'refocus',
      seed: cell.seed,
      wrong: Array.from({ length: few }, (_, i) => i),
      changes: changes(cell),
    });
    return [{ cell, run }];
  });
}

test('arms over seeds, paired seed by seed', () => {
  const cellsThere = ended({ finetune: [20, 30, 40], refocus: [19, 27, 35] });
  const results = resultsOf(experiment, cellsThere, 'now');
  expect(results).toMatchObject({ complete: true, missing: [], unequal: [] });
  expect(results.arms.map(({ arm, last }) => [arm, last?.values])).toEqual([
    ['none', [0.5, 0.5, 0.5]],
    ['finetune', [0.8, 0.7, 0.6]],
    ['refocus', [0.81, 0.73, 0.65]],
  ]);
  const [, against] = results.comparisons;
  expect(against).toMatchObject({ arm: 'refocus', against: 'finetune', seeds: [0, 1, 2] });
  // scipy.stats.ttest_1samp([0.01, 0.03, 0.05], 0).confidence_interval()
  expect(against.last.interval![0]).toBeCloseTo(-0.01968275, 7);
  expect(against.last.interval![1]).toBeCloseTo(0.07968275, 7);
  expect(against.last).toMatchObject({ wins: 3, losses: 0, ties: 0, shown: 'none' });
  expect(results.comparisons.map(({ arm, against: other }) => `${arm} ${other}`)).toEqual([
    'none finetune',
    'refocus finetune',
    'refocus none',
  ]);
});

test('what is not there yet is left out of the means and named', () => {
  const results = resultsOf(experiment, ended({ finetune: [20, 30], refocus: [10] }), 'now');
  expect(results.complete).toBe(false);
  expect(results.missing).toEqual(['runs/refocus-seed1', 'runs/finetune-seed2', 'runs/refocus-seed2']);
  const comparison = results.comparisons.find(({ arm }) => arm === 'refocus')!;
  expect(comparison).toMatchObject({
    seeds: [0],
    last: { interval: null, deviation: null, shown: 'unknown' },
  });
});

test('what a difference shows', () => {
  expect(differenceOf([0.02, 0.021, 0.019]).shown).toBe('better');
  expect(differenceOf([-0.02, -0.021, -0.019]).shown).toBe('worse');
  expect(differenceOf([0.02, -0.02, 0.01]).shown).toBe('none');
  expect(differenceOf([0, 0, 0])).toMatchObject({ shown: 'none', ties: 3 });
  expect(differenceOf([0.5])).toMatchObject({ shown: 'unknown', wins: 1 });
});

test('differences that are equal only because images are few show nothing', () => {
  // one image of nine in each of two seeds
  expect(differenceOf([1 / 9, 1 / 9], 1 / 9)).toMatchObject({ deviation: 0, shown: 'none' });
  expect(differenceOf([0.02, 0.02, 0.02], 1 / 1000).shown).toBe('better');
  // one image of a hundred in each of three: an accuracy is known to that, another task's figure is no share of images
  const equal = ended({ finetune: [20, 30, 40], refocus: [19, 29, 39] });
  const ofRefocus = (task: object) =>
    summarised({ ...resultsOf(experiment, equal, 'now'), ...task }).comparisons[1].last.interval!;
  const [low, high] = ofRefocus({});
  expect(high - low).toBeCloseTo((2 * 4.30265 * 0.01) / Math.sqrt(12 * 3), 6);
  const [same, too] = ofRefocus({ task: 'segmentation' });
  expect(too - same).toBeCloseTo(0, 10);
});

test('arms that were not equal are told', () => {
  const results = resultsOf(
    experiment,
    ended({ finetune: [20, 30, 40], refocus: [10, 20, 30] }, ({ arm, seed }) =>
      arm === 'refocus' && seed === 1
        ? { steps: 9, settings: { ...endedRun({ method: 'refocus' }).report.settings, seed, batch: 7 } }
        : {},
    ),
    'now',
  );
  expect(results.unequal.sort()).toEqual(['batch', 'steps']);
});

test('the best is that of the arm’s own epochs, though the base was better', () => {
  const worse = ended({ finetune: [70], refocus: [60] }, () => ({
    accuracy: { base: 0.5, last: 0.3, best: 0.5 },
    best: 'base',
  }));
  const [finetune] = resultsOf(experiment, worse, 'now').runs;
  expect(finetune).toMatchObject({
    accuracy: { base: 0.5, last: 0.3, best: expect.closeTo(0.3) },
    bestEpoch: 1,
  });
});

test('how alike kernels are is of the reports, whether the matrices lie beside them or not', () => {
  const all = ended({ finetune: [20] });
  const redundancy = [
    { name: 'a', planes: 4, before: figures(0.1), after: figures(0.3) },
    { name: 'b', planes: 4, before: figures(0.3), after: figures(0.5) },
    // of a single kernel, as JSON has it
    { name: 'c', planes: 1, before: figures(null), after: figures(null) },
  ];
  const copied = all.map(({ cell, run }) => ({
    cell,
    run: { ...run, report: { ...run.report, redundancy }, redundancy: { before: [], after: [] } },
  })) as EndedCell[];
  const [finetune] = resultsOf(experiment, copied, 'now').runs;
  expect(finetune.divergence).toEqual([expect.closeTo(0.2), expect.closeTo(0.4)]);
});

const figures = (divergence: number | null) => ({ divergence, cosine: 0, effectiveRank: 1 });

test('a rate at which training diverged has lost, in its first epoch or a later one, whatever it came to before', () => {
  const lrSearch = { rates: [0.1, 0.2, 0.3], epochs: 2 };
  const searched = parseExperiment({ name: 'x', arms: ['finetune'], seeds: [0], lrSearch }, 'x.json');
  const searches = cellsOf(searched)
    .filter(({ lr }) => lr !== undefined && lr < 0.3)
    .map((cell): EndedCell => {
      const late = cell.lr === 0.2;
      const changes: Partial<Report> = late ? { ended: 'diverged' } : {};
      const { name: _, ...run } = endedRun({ wrong: late ? [] : [1, 2, 3], changes });
      return { cell, run };
    });
  const results = resultsOf(searched, searches, 'now', ['search/finetune-lr0.3']);
  const lost = { accuracy: 0, loss: Number.NaN, diverged: true };
  expect(results.rates).toMatchObject([
    {
      chosen: 0.1,
      tried: [
        { lr: 0.1, accuracy: 0.97 },
        { lr: 0.2, ...lost },
        { lr: 0.3, ...lost },
      ],
    },
  ]);
  expect(results.missing).toEqual(['runs/finetune-seed0']);
  const read = parseResults(JSON.parse(JSON.stringify(results)), 'results.json');
  expect(read.rates).toEqual(results.rates);
});
