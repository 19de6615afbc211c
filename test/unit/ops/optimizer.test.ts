import { expect, it } from 'vitest';
import { compile } from '../../../src/graph/compile';
import { Graph } from '../../../src/graph/graph';
import type { ArenaLayout } from '../../../src/graph/ir';
import { ARENA_PART, placePersistent } from '../../../src/graph/memory';
import { adamCorrections, adamw } from '../../../src/ops/optim/adamw';
import { average, averageWeight } from '../../../src/ops/optim/average';
import { groupTables } from '../../../src/ops/optim/groups';
import { sgd } from '../../../src/ops/optim/sgd';
import { refocusFactored } from '../../../src/ops/refocus/factored';

const options = { momentum: 0.9, nesterov: false, weightDecay: 0, clipNorm: 0 };

/** A graph with one parameter of so many bytes, placed, and an SGD step on it. */
function planOf(bytes: number, clipNorm = 0) {
  const g = new Graph();
  const layout: ArenaLayout = {};
  const parameter = g.tensor('p', [bytes / 4], { role: 'parameter' });
  placePersistent(parameter, layout);
  sgd(g, { ...options, clipNorm });
  return compile(g, { layout });
}

it('updates all parameters in one dispatch over the arenas', () => {
  const { dispatches, tensors } = planOf(1024);
  expect(dispatches.map((d) => d.shader)).toEqual(['optim/sgd']);
  expect(dispatches[0].bindings.momentum).toEqual({ buffer: 'momentum', offset: 0, bytes: 1024 });
  // the gradients' arena is as long as the parameters', even if the last of them has no gradient
  expect(tensors['arena:gradients'].bytes).toBe(1024);
});

it('binds an arena that no binding can hold in parts', () => {
  const { dispatches, tensors } = planOf(ARENA_PART * 2 + 512, 1);
  expect(dispatches.map((d) => d.shader)).toEqual([
    ...Array(3).fill('optim/square_sums'),
    'optim/clip_factor',
    ...Array(3).fill('optim/sgd'),
  ]);
  const ranges = dispatches.slice(-3).map((d) => d.bindings.parameters);
  expect(ranges.map((r) => r.offset)).toEqual([0, ARENA_PART, 2 * ARENA_PART]);
  expect(ranges.map((r) => r.bytes)).toEqual([ARENA_PART, ARENA_PART, 512]);
  expect(dispatches.at(-1)?.workgroups, 'threads for what the last part holds').toEqual([1, 1, 1]);
  expect(tensors['arena:momentum']).toMatchObject({ offset: 0, bytes: 2 * ARENA_PART + 512 });
});

it('corrects AdamW’s moments for their start at zero', () => {
  const { correction1, correction2 } = adamCorrections(1, { beta1: 0.9, beta2: 0.999 });
  expect(correction1).toBeCloseTo(10, 10);
  expect(correction2).toBeCloseTo(1000, 8);
});

it('AdamW refuses a factored RefConv layer by name, SGD takes it', () => {
  const g = new Graph();
  const shape = [3, 3, 1, 4];
  const padded = shape;
  const tensors = {
    basis: g.tensor('basis', shape, { role: 'constant', padded }),
    gram: g.tensor('gram', [4, 9, 9], { role: 'constant' }),
    scale: g.tensor('scale', [1], { role: 'parameter' }),
    m: g.tensor('m', shape, { role: 'parameter', padded }),
  };
  refocusFactored(g, 'layer.7', tensors, { groups: 1, identity: true });
  const moments = { beta1: 0.9, beta2: 0.999, eps: 1e-8 };
  expect(() => adamw(g, { ...moments, weightDecay: 0, clipNorm: 0 })).toThrow(/factored.*"layer\.7"/);
  expect(() => sgd(g, options)).not.toThrow();
});

it('tells the factors of each 256 bytes by the parameter that lies there', () => {
  const at = (offset: number, bytes: number) => ({ buffer: 'parameters', offset, bytes });
  const ranges = new Map([
    ['a', at(0, 4)],
    ['b', at(256, 260)],
    ['c', at(1024, 256)],
  ]);
  const factors = { a: { lr: 1, decay: 0 }, b: { lr: 2, decay: 3 }, c: { lr: 0, decay: 5 } };
  const tables = groupTables(ranges, (name) => factors[name as keyof typeof factors]);
  expect([...tables.keys()]).toEqual(['constant:parameter groups 0']);
  expect([...tables.get('constant:parameter groups 0')!]).toEqual([1, 0, 2, 3, 2, 3, 0, 0, 0, 5]);
  // beyond a part of the arena another table begins
  const large = groupTables(new Map([['a', at(ARENA_PART - 256, 512)]]), () => ({ lr: 7, decay: 8 }));
  expect([...large.values()].map((table) => [table.length, ...table.slice(-2)])).toEqual([
    [(2 * ARENA_PART) / 256, 7, 8],
    [2, 7, 8],
  ]);
});

it('binds the factors beside each part of the arena, and nothing where all are 1', () => {
  const g = new Graph();
  const layout: ArenaLayout = {};
  placePersistent(g.tensor('p', [ARENA_PART / 4 + 128], { role: 'parameter' }), layout);
  sgd(g, { ...options, groups: true });
  const { dispatches } = compile(g, { layout });
  expect(dispatches.map((d) => d.constants.GROUPS)).toEqual([true, true]);
  expect(dispatches.map((d) => d.bindings.groups.bytes)).toEqual([(8 * ARENA_PART) / 256, 16]);
  expect(planOf(1024).dispatches[0].bindings.groups).toBeUndefined();
});

it('averages parameters and state, each over its arena', () => {
  const g = new Graph();
  const layout: ArenaLayout = {};
  placePersistent(g.tensor('p', [100], { role: 'parameter' }), layout);
  placePersistent(g.tensor('s', [10], { role: 'state' }), layout);
  sgd(g, options);
  average(g);
  const { dispatches, tensors } = compile(g, { layout });
  expect(dispatches.map((d) => d.shader)).toEqual(['optim/sgd', 'optim/average', 'optim/average']);
  expect(dispatches[1].bindings).toEqual({
    values: { buffer: 'parameters', offset: 0, bytes: 512 },
    average: { buffer: 'average parameters', offset: 0, bytes: 512 },
  });
  expect(tensors['arena:average state'].bytes).toBe(256);
  // without batch norm there is no state
  const stateless = new Graph();
  placePersistent(stateless.tensor('p', [100], { role: 'parameter' }), {});
  average(stateless);
  expect(stateless.nodes).toHaveLength(1);
});

it('weighs a step in an average by timm’s warm-up, until the decay is reached', () => {
  expect(averageWeight(0.99, 1)).toBe(1);
  expect(averageWeight(0.99, 8)).toBeCloseTo(0.25, 12);
  expect(averageWeight(0.99, 1001)).toBeCloseTo(0.01, 12);
  expect(averageWeight(0.5, 8)).toBeCloseTo(0.5, 12);
});
