import { expect, test } from 'vitest';
import { differenceOf } from '../../../src/experiment/arm-results';
import { parseExperiment } from '../../../src/experiment/experiment';
import type { ExperimentResults } from '../../../src/experiment/results';
import { differencesSvg } from '../../../src/report/differences';

/** Results of which only the differences from fine-tuning matter. */
function results(differences: Record<string, number[]>): ExperimentResults {
  const arms = ['finetune', ...Object.keys(differences)];
  const experiment = parseExperiment({ name: 'x', arms, seeds: [0, 1, 2] }, 'x.json');
  const comparisons = Object.entries(differences).map(([arm, values]) => {
    const last = differenceOf(values);
    return { arm, against: 'finetune', seeds: [0, 1, 2], last, best: last };
  });
  return { experiment, comparisons } as unknown as ExperimentResults;
}

/** Of each row what it is drawn as: its class, its interval, its seeds and its mean, in pixels across. */
const rowsOf = (svg: string) =>
  [...svg.matchAll(/<g class="run (c\d)">(.*?)<\/g>/g)].map(([, kind, row]) => {
    const lines = [...row.matchAll(/points="([\d.]+),([\d.]+) ([\d.]+),([\d.]+)"/g)].map((found) =>
      found.slice(1).map(Number),
    );
    return {
      kind,
      interval: lines.find(([, y, , other]) => y === other),
      seeds: lines.filter(([, y, , other]) => y !== other).map(([x]) => x),
      mean: Number(/cx="([\d.]+)"/.exec(row)![1]),
    };
  });

test('a row an arm: seeds, mean and interval on one scale, by what was shown', () => {
  const { text } = differencesSvg(
    results({ refocus: [0.05, 0.06, 0.07], joint: [-0.01, 0, 0.02], retrain: [-0.3, -0.31, -0.32] }),
  );
  const zero = Number(/class="base" x1="([\d.]+)"/.exec(text)![1]);
  const [better, none, worse] = rowsOf(text);
  expect([better.kind, none.kind, worse.kind]).toEqual(['c0', 'c1', 'c2']);
  expect(better.interval![0]).toBeGreaterThan(zero);
  expect(worse.interval![2]).toBeLessThan(zero);
  expect(none.interval![0]).toBeLessThan(zero);
  expect(none.interval![2]).toBeGreaterThan(zero);
  expect(none.seeds[1]).toBe(zero);
  expect(better.mean).toBeCloseTo(better.seeds[1], 0);
  // a point is as wide everywhere
  const point = better.seeds[1] - better.seeds[0];
  expect(worse.seeds[0] - worse.seeds[1]).toBeCloseTo(point, 0);
  expect(text).toContain('Refocused: +6.00');
});

test('of one seed there is no interval; without another arm there is nothing to draw', () => {
  const [row] = rowsOf(differencesSvg(results({ refocus: [0.05] })).text);
  expect(row.interval).toBeUndefined();
  expect(row.seeds).toHaveLength(1);
  expect(differencesSvg(results({})).text).not.toContain('<svg');
});
