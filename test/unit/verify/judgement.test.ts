import { describe, expect, test } from 'vitest';
import { normals, uniforms } from '../../../src/model/random';
import { combine, nearestCombination } from '../../../src/verify/combination';
import { norm, relativeError } from '../../../src/verify/error';
import type { Expectation } from '../../../src/verify/expectations';
import { Judgement, type Verdict } from '../../../src/verify/judgement';

const SIZE = 300;
const TENSORS = 12;
const NAMES = Array.from({ length: TENSORS }, (_, i) => `t${i}`);

/** A tensor of normal numbers, another one for each name. */
function tensor(name: string, scale = 1): Float64Array {
  const normal = normals(uniforms(5, name));
  return Float64Array.from({ length: SIZE }, () => scale * normal());
}

const plus = (a: Float64Array, b: Float64Array, factor = 1) => a.map((x, i) => x + factor * b[i]);
const expectedOf = new Map(NAMES.map((name) => [name, tensor(name)]));

/** Each kink moves every tensor in a direction of its own, by a few hundredths. */
const jump = (kink: number, name: string) => tensor(`${name} at kink ${kink}`, 0.03 / (kink + 1));

/** What a run has that is on the other side of these kinks, times `factor`. */
function runOf(kinks: readonly number[], factor = 1, run = 0): Map<string, Float64Array> {
  return new Map(
    NAMES.map((name) => {
      const moved = kinks.reduce((t, kink) => plus(t, jump(kink, name)), expectedOf.get(name)!);
      return [name, plus(moved, tensor(`${name} rounded in ${run}`), 1e-6).map((x) => factor * x)];
    }),
  );
}

const gradient = (key: string): Expectation => {
  const expected = expectedOf.get(key)!;
  const scale = norm(expected);
  const distance = (a: ArrayLike<number>, b: ArrayLike<number>) => norm(a, b) / scale;
  return { key, label: key, expected, distance, scale, tolerance: 1e-3, excuse: 'near', part: 'gradients' };
};

const moveOf = (key: string): Expectation => ({
  ...gradient(key),
  excuse: 'spread',
  part: 'steps',
  direction: { group: 'the steps of weight', of: expectedOf.get(key)! },
});

/** The worst verdict on runs that lie on the other side of these kinks. */
function verdictOf(expectations: Expectation[], sides: number[][], factor = 1): Verdict {
  const [first, ...others] = sides.map((kinks, run) => runOf(kinks, factor, run));
  const judgement = new Judgement(expectations, first);
  for (const run of others) judgement.add(run);
  const verdicts = judgement.outcome.map(({ verdict }) => verdict);
  return (['fail', 'excused'] as const).find((v) => verdicts.includes(v)) ?? 'pass';
}

describe('gradients', () => {
  const expectations = NAMES.map(gradient);
  test.each<[string, number[][], number, Verdict]>([
    ['rounding passes', [[]], 1, 'pass'],
    ['a jump alone is no excuse', [[0]], 1, 'fail'],
    ['a jump that all runs make is no excuse', [[0], [0], [0]], 1, 'fail'],
    ['a jump that one run does not make is one', [[0], [0], [0], []], 1, 'excused'],
    ['no run needs to be right about all kinks', [[0, 1], [0], [1], [0, 2], [0, 1, 2]], 1, 'excused'],
    ['an error of eight tolerances fails', [[]], 1.008, 'fail'],
    ['an error of eight tolerances fails among jumps', [[0], [], [0, 1], [1], [2]], 1.008, 'fail'],
    ['an error of two tolerances fails where runs agree', [[], [], [], [], []], 1.002, 'fail'],
    ['NaN fails', [[]], Number.NaN, 'fail'],
  ])('%s', (_, sides, factor, verdict) => {
    expect(verdictOf(expectations, sides, factor)).toBe(verdict);
  });

  test('one wrong tensor among jumps fails, and is named', () => {
    const [first, ...others] = [[0], [], [0, 1], [1], [2]].map((kinks, run) => {
      const results = runOf(kinks, 1, run);
      return results.set(
        't3',
        results.get('t3')!.map((x) => 1.008 * x),
      );
    });
    const judgement = new Judgement(expectations, first);
    for (const run of others) judgement.add(run);
    const failed = judgement.outcome.filter(({ verdict }) => verdict === 'fail');
    expect(failed.map(({ label }) => label)).toEqual(['t3']);
  });

  describe('with more kinks than runs', () => {
    /** Eleven runs, each at the other side of three kinks that no other run crosses. */
    const chaotic = (factors: Record<string, number> = {}) =>
      Array.from({ length: 11 }, (_, run) => {
        const results = runOf([], 1, run);
        for (const name of NAMES) {
          const moved = [0, 1, 2].reduce(
            (t, i) => plus(t, tensor(`${name} at kink ${3 * run + i}`, 0.01)),
            results.get(name)!,
          );
          results.set(
            name,
            moved.map((x) => x * (factors[name] ?? 1)),
          );
        }
        return results;
      });
    const failed = (runs: Map<string, Float64Array>[]) => {
      const directed = expectations.map((e) => ({
        ...e,
        direction: { group: 'the gradients', of: e.expected },
      }));
      const judgement = new Judgement(directed, runs[0]);
      for (const run of runs.slice(1)) judgement.add(run);
      return judgement.outcome.filter(({ verdict }) => verdict === 'fail').map(({ label }) => label);
    };

    test('PyTorch may be as far off as the runs are from each other', () =>
      expect(failed(chaotic())).toEqual([]));
    test('but nothing is excused before there are many runs', () =>
      expect(failed(chaotic().slice(0, 6))).toContain('t0'));
    test('one wrong tensor fails, and is named', () => expect(failed(chaotic({ t3: 1.05 }))).toEqual(['t3']));
    test('all of them too long by a hundredth fail by their length', () =>
      expect(failed(chaotic(Object.fromEntries(NAMES.map((name) => [name, 1.01]))))).toEqual([
        'the length of the gradients',
      ]));
  });

  test('logits have no excuse', () => {
    const logits: Expectation = { ...gradient('t0'), distance: relativeError, excuse: 'none' };
    expect(verdictOf([logits], [[0], [], []])).toBe('fail');
  });
});

describe('weights after steps', () => {
  const moves = NAMES.map(moveOf);
  test.each<[string, number[][], number, Verdict]>([
    ['rounding passes', [[]], 1, 'pass'],
    ['the spread of jumps is an excuse', [[0, 1], [0], [1, 2], [2, 3], [3]], 1, 'excused'],
    ['a learning rate that is off by a hundredth has none', [[0, 1], [0], [1, 2], [2, 3], [3]], 1.01, 'fail'],
    ['nor has one in runs that agree', [[], [], [], [], []], 1.01, 'fail'],
  ])('%s', (_, sides, factor, verdict) => {
    expect(verdictOf(moves, sides, factor)).toBe(verdict);
  });

  test('where each run has jumps of its own, lengths may differ as those of the runs do', () => {
    const excess = [3, -2, 5, 0, 2, -1, 3, 1, -2, 4, 1].map((percent) => percent / 100);
    const runs = (factor: number) =>
      excess.map((share, run) => {
        const results = runOf([], factor * (1 + share), run);
        for (const name of NAMES)
          results.set(name, plus(results.get(name)!, tensor(`${name} at kink of ${run}`, 0.4)));
        return results;
      });
    const verdict = (factor: number) => {
      const [first, ...others] = runs(factor);
      const judgement = new Judgement(moves, first);
      for (const run of others) judgement.add(run);
      return judgement.outcome.find(({ label }) => label === 'the length of the steps of weight')!.verdict;
    };
    expect(verdict(1)).toBe('excused');
    expect(verdict(1.2)).toBe('fail');
  });

  test('beside a calm group one whose runs differ in their length is not judged by it, and the calm one is', () => {
    const wild = NAMES.slice(0, 8);
    const expectations = NAMES.map((key) => ({
      ...moveOf(key),
      direction: {
        group: `the steps of ${wild.includes(key) ? 'weight' : 'bias'}`,
        of: expectedOf.get(key)!,
      },
    }));
    const excess = [-10, -8, -11, -9, -8, -12, -9, -10, -8, -10, -11].map((percent) => percent / 100);
    const failedAt = (factor: number) => {
      const [first, ...others] = excess.map((share, run) => {
        const results = runOf([0], factor, run);
        for (const name of wild) {
          const jump = tensor(`${name} at kink of ${run}`, 0.4);
          const moved = plus(results.get(name)!, jump);
          results.set(name, plus(moved, results.get(name)!, share));
        }
        return results;
      });
      const judgement = new Judgement(expectations, first);
      for (const run of others) judgement.add(run);
      const lengths = judgement.outcome.filter(({ label }) => label.startsWith('the length'));
      return lengths.filter(({ verdict }) => verdict === 'fail').map(({ label }) => label);
    };
    expect(failedAt(1)).toEqual([]);
    expect(failedAt(1.01)).toEqual(['the length of the steps of bias']);
  });

  test('a group of tensors that moves too far has no excuse', () => {
    const expectations = [
      ...moves.slice(0, 8),
      ...NAMES.slice(8).map((key) => ({
        ...moveOf(key),
        direction: { group: 'the steps of running_var', of: expectedOf.get(key)! },
      })),
    ];
    const runs = [[0, 1], [0], [1, 2], [2, 3], [3]].map((kinks, run) => {
      const results = runOf(kinks, 1, run);
      for (const name of NAMES.slice(8))
        results.set(
          name,
          results.get(name)!.map((x) => 1.1 * x),
        );
      return results;
    });
    const judgement = new Judgement(expectations, runs[0]);
    for (const run of runs.slice(1)) judgement.add(run);
    const failed = judgement.outcome.filter(({ verdict }) => verdict === 'fail').map(({ label }) => label);
    expect(failed).toContain('the length of the steps of running_var');
    expect(failed).not.toContain('the length of the steps of weight');
  });
});

test('more runs are asked for while they may change something', () => {
  const judgement = new Judgement(NAMES.map(gradient), runOf([0]));
  expect(judgement.isSettled).toBe(false);
  judgement.add(runOf([0, 1], 1, 1));
  expect(judgement.isSettled).toBe(false);
  judgement.add(runOf([1], 1, 2));
  expect(judgement.isSettled).toBe(true);
  // all runs agree on a wrong answer
  const wrong = new Judgement(NAMES.map(gradient), runOf([], 1.008));
  for (let run = 1; run <= 4; run++) {
    expect(wrong.isSettled).toBe(false);
    wrong.add(runOf([], 1.008, run));
  }
  expect(wrong.isSettled).toBe(true);
});

test('the nearest combination is that of the kinks on the right side', () => {
  const expected = expectedOf.get('t0')!;
  const runs = [[0, 1], [0], [1]].map((kinks) => runOf(kinks).get('t0')!);
  const weights = nearestCombination([{ expected, runs, scale: norm(expected) }], 1e-4);
  expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
  // r = (r + a) + (r + b) - (r + a + b)
  expect(weights.map((w) => Math.round(w))).toEqual([-1, 1, 1]);
  expect(norm(combine(runs, weights), expected) / norm(expected)).toBeLessThan(1e-3);
});
