import { expect, it } from 'vitest';
import { compile } from '../../../src/graph/compile';
import { Graph } from '../../../src/graph/graph';
import type { ArenaLayout } from '../../../src/graph/ir';
import { ARENA_PART, placePersistent } from '../../../src/graph/memory';
import { adamCorrections, adamw } from '../../../src/ops/optim/adamw';
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
