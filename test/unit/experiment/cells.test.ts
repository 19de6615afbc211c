import { describe, expect, test } from 'vitest';
import {
  type Cell,
  type CellOutcome,
  cellsOf,
  chosenRates,
  isWithoutRate,
  rateOf,
  settingsOf,
} from '../../../src/experiment/cells';
import { parseExperiment } from '../../../src/experiment/experiment';
import { isWaiting, queueOrder, readyCells, secondsLeft } from '../../../src/experiment/queue';

const experiment = parseExperiment(
  {
    name: 'x',
    arms: ['none', 'finetune', 'finetune-rate-x3', { name: 'twice', arm: 'refocus', from: 'finetune' }],
    seeds: [5, 6],
    lrSearch: { rates: [0.1, 0.01], epochs: 2, heldOut: 0.25 },
    settings: { epochs: 4 },
  },
  'x.json',
);
const cells = cellsOf(experiment);
const cell = (id: string): Cell => cells.find((one) => one.id === id)!;
const outcomes = (of: Record<string, [accuracy: number, loss: number]>): Map<string, CellOutcome> =>
  new Map(Object.entries(of).map(([id, [accuracy, loss]]) => [id, { accuracy, loss }]));
const searched = outcomes({
  'search/finetune-lr0.1': [0.5, 3],
  'search/finetune-lr0.01': [0.5, 2],
  'search/twice-lr0.1': [0.7, 1],
  'search/twice-lr0.01': [0.6, 1],
});

test('the cells: searches first, then all arms with a seed after the other', () => {
  expect(cells.map(({ id, needs }) => [id, needs])).toEqual([
    ['search/finetune-lr0.1', []],
    ['search/finetune-lr0.01', []],
    ['search/twice-lr0.1', ['runs/finetune-seed5']],
    ['search/twice-lr0.01', ['runs/finetune-seed5']],
    ['runs/finetune-seed5', ['search/finetune-lr0.1', 'search/finetune-lr0.01']],
    ['runs/finetune-rate-x3-seed5', ['search/finetune-lr0.1', 'search/finetune-lr0.01']],
    ['runs/twice-seed5', ['runs/finetune-seed5', 'search/twice-lr0.1', 'search/twice-lr0.01']],
    ['runs/finetune-seed6', ['search/finetune-lr0.1', 'search/finetune-lr0.01']],
    ['runs/finetune-rate-x3-seed6', ['search/finetune-lr0.1', 'search/finetune-lr0.01']],
    ['runs/twice-seed6', ['runs/finetune-seed6', 'search/twice-lr0.1', 'search/twice-lr0.01']],
  ]);
  expect([cell('search/finetune-lr0.1').work, cell('runs/finetune-seed5').work]).toEqual([1.5, 4]);
});

test('a base that is trained comes before all', () => {
  const trained = parseExperiment(
    { name: 'x', arms: ['retrain', 'refocus'], seeds: [1], base: { train: { epochs: 9 } } },
    'x.json',
  );
  const found = cellsOf(trained);
  expect(found.map(({ id, needs, from }) => [id, needs, from])).toEqual([
    ['base', [], undefined],
    ['runs/retrain-seed1', ['base'], 'base'],
    ['runs/refocus-seed1', ['base'], 'base'],
  ]);
  expect(settingsOf(trained, found[0], new Map())).toMatchObject({ method: 'retrain', epochs: 9, seed: 1 });
});

describe('rates', () => {
  test('the highest accuracy is chosen, of equals the lowest loss', () => {
    expect(chosenRates(experiment, searched)).toMatchObject([
      { arm: 'finetune', chosen: 0.01, isAtEdge: true, tried: [{ lr: 0.01 }, { lr: 0.1 }] },
      { arm: 'twice', chosen: 0.1 },
    ]);
    expect(rateOf(experiment, 'finetune-rate-x3', searched)).toBeCloseTo(0.03);
  });

  const lost = { accuracy: 0.9, loss: Number.NaN, diverged: true } as const;

  test('one that diverged is not', () => {
    const diverged = new Map([...searched, ['search/finetune-lr0.01', lost] as const]);
    expect(rateOf(experiment, 'finetune', diverged)).toBe(0.1);
  });

  test('where all diverged none is, for no arm that takes its rate from that', () => {
    const diverged = new Map([
      ...searched,
      ['search/finetune-lr0.1', lost] as const,
      ['search/finetune-lr0.01', lost] as const,
    ]);
    expect(chosenRates(experiment, diverged)).toMatchObject([
      { arm: 'finetune', chosen: undefined, isAtEdge: false },
      { arm: 'twice', chosen: 0.1 },
    ]);
    const without = cells.filter((one) => isWithoutRate(experiment, one, diverged));
    expect(without.map(({ id }) => id)).toEqual(
      [5, 6].flatMap((seed) => [`runs/finetune-seed${seed}`, `runs/finetune-rate-x3-seed${seed}`]),
    );
    expect(cells.some((one) => isWithoutRate(experiment, one, searched))).toBe(false);
  });

  test('in the middle of a grid it is not at its edge, and none is chosen before all were tried', () => {
    const three = { ...experiment, lrSearch: { ...experiment.lrSearch!, rates: [0.1, 0.01, 0.001] } };
    expect(chosenRates(three, searched)).toEqual([]);
    const more = new Map([
      ...searched,
      ['search/finetune-lr0.001', { accuracy: 0.1, loss: 9 }] as const,
      ['search/twice-lr0.001', { accuracy: 0.9, loss: 1 }] as const,
    ]);
    expect(chosenRates(three, more).map(({ isAtEdge }) => isAtEdge)).toEqual([false, true]);
  });
});

describe('settings of a cell', () => {
  test('a search is tested on training images, with its rate and the first seed', () => {
    expect(settingsOf(experiment, cell('search/finetune-lr0.1'), new Map())).toMatchObject({
      ...{ method: 'finetune', lr: 0.1, epochs: 2, validate: true, seed: 5, imageSeed: 5 },
      // what is held out to test stays what it is in the arms' runs
      ...{ validationShare: 0.25, val: experiment.settings.val },
    });
  });

  test('runs of a seed differ in what their arms say and in their rate alone, runs of an arm in their seed', () => {
    const differing = (one: string, other: string) => {
      const [a, b] = [one, other].map((id) => settingsOf(experiment, cell(id), searched));
      return Object.keys(a).filter(
        (name) => JSON.stringify(a[name as 'lr']) !== JSON.stringify(b[name as 'lr']),
      );
    };
    expect(differing('runs/finetune-seed5', 'runs/twice-seed5').sort()).toEqual(['lr', 'method']);
    expect(differing('runs/finetune-seed5', 'runs/finetune-rate-x3-seed5')).toEqual(['lr']);
    expect(differing('runs/twice-seed5', 'runs/twice-seed6')).toEqual(['seed']);
  });
});

describe('the queue', () => {
  const states = (of: Record<string, 'ended' | 'claimed' | 'failed'>) => new Map(Object.entries(of));

  test('a cell is ready once all that it needs has ended', () => {
    expect(readyCells(cells, states({})).map(({ id }) => id)).toEqual([
      'search/finetune-lr0.1',
      'search/finetune-lr0.01',
    ]);
    const one = states({ 'search/finetune-lr0.1': 'ended', 'search/finetune-lr0.01': 'claimed' });
    expect(readyCells(cells, one)).toEqual([]);
    expect(isWaiting(cells, one)).toBe(true);
    const failed = states({ 'search/finetune-lr0.1': 'ended', 'search/finetune-lr0.01': 'failed' });
    expect([readyCells(cells, failed), isWaiting(cells, failed)]).toEqual([[], false]);
  });

  test('the time that is left is that of the work that is left', () => {
    const two = [cell('search/finetune-lr0.1'), cell('runs/finetune-seed5'), cell('runs/finetune-seed6')];
    const ended = states({ 'search/finetune-lr0.1': 'ended' });
    const times = [{ id: 'search/finetune-lr0.1', seconds: 30 }];
    // 20 s a unit of work; two runs of 4 units, a quarter of one done
    const running = new Map([['runs/finetune-seed5', 0.25]]);
    expect(secondsLeft(two, ended, { times, running })).toBeCloseTo(140);
    const both = new Map([...running, ['runs/finetune-seed6', 0.25] as const]);
    expect(secondsLeft(two, ended, { times, running: both })).toBeCloseTo(60);
    expect(secondsLeft(two, states({}), { times: [], running: new Map() })).toBeUndefined();
    expect(secondsLeft(two, states({}), { times: [], running: new Map(), pace: 2 })).toBeCloseTo(19);
  });
});

test('in the order of the queue every cell comes after all that it needs, the search of an arm from another too', () => {
  const cells = cellsOf(
    parseExperiment(
      {
        name: 'then',
        arms: [{ name: 'then', arm: 'finetune', from: 'refocus' }, 'refocus'].reverse(),
        seeds: [3, 11],
        lrSearch: { rates: [0.1, 0.2] },
      },
      'then.json',
    ),
  );
  const order = queueOrder(cells).map(({ id }) => id);
  expect([...order].sort()).toEqual(cells.map(({ id }) => id).sort());
  for (const { id, needs } of cells)
    for (const need of needs)
      expect(order.indexOf(need), `${need} before ${id}`).toBeLessThan(order.indexOf(id));
});
