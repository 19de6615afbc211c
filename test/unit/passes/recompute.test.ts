import { describe, expect, test } from 'vitest';
import { OverLimit } from '../../../src/errors';
import type { BufferRange, Phase, Plan, PlannedDispatch } from '../../../src/graph/ir';
import type { Tensor } from '../../../src/graph/tensor';
import type { Model } from '../../../src/model/model';
import { createModel } from '../../../src/model/zoo';
import { Checkpoints } from '../../../src/passes/checkpoints';
import { readyForLimit } from '../../../src/passes/limit';
import { type ProgramGraph, planTraining, trainingGraph } from '../../../src/train/programs';
import { runSettings } from '../../settings';
import { mixed } from '../../step-case';

await readyForLimit({ memory: 1 });

const images = {
  name: 'train',
  count: 8,
  height: 32,
  width: 32,
  mean: [0.5, 0.5, 0.5],
  std: [0.2, 0.2, 0.2],
};

const NOTHING = { shader: '', constants: {}, workgroups: [1, 1, 1] as [number, number, number] };

const tensor = (id: number, size: number): Tensor => ({
  id,
  name: `t${id}`,
  shape: [size],
  padded: [size],
  dtype: 'f32',
  role: 'activation',
});

const settings = runSettings({ batch: 8, method: 'finetune' });

const graphOf = (model: Model, side = 32) =>
  trainingGraph({ model, settings, images: { ...images, height: side, width: side }, batch: 8 });

const graphs = {
  mixed: graphOf(mixed),
  resnet20_cifar: graphOf(createModel('resnet20_cifar')),
  shufflenet_v2_x0_5: graphOf(createModel('shufflenet_v2_x0_5'), 64),
};

const planOf = (graph: ProgramGraph, bytes: number): Plan =>
  planTraining(graph, { storage: 'f32', memory: bytes / 1e6 }, {});

/** Bytes that a step takes at least. */
function leastOf(graph: ProgramGraph): number {
  try {
    planOf(graph, 1);
  } catch (error) {
    if (error instanceof OverLimit) return error.least;
    throw error;
  }
  throw new Error('no step takes so little');
}

const isAgain = ({ label }: PlannedDispatch): boolean => label.endsWith(' again');
const identity = ({ label, shader, constants }: PlannedDispatch): string =>
  JSON.stringify([label, shader, constants]);

/** What a range of a buffer holds: how it was computed, as a number for each different way. */
interface Held extends BufferRange {
  value: number;
  by: PlannedDispatch;
}

/**
 * Runs a plan on symbols: what a dispatch writes is told by its shader, its constants and what it reads. Gives what all that
 * outlives the step holds at its end, and the dispatches that nobody reads anything of.
 */
function outcome(plan: Plan, numbers: Map<string, number>) {
  let held: Held[] = [];
  const overlap = (a: BufferRange, b: BufferRange) =>
    a.buffer === b.buffer && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
  const numberOf = (text: string) => {
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  };
  const idle = new Set<PlannedDispatch>();
  for (const dispatch of plan.dispatches) {
    const { shader, constants, bindings, writes, label } = dispatch;
    const reads = Object.entries(bindings).filter(([name]) => !writes.includes(name));
    const operands = reads.map(([name, range]) => {
      const found = held.filter((other) => overlap(other, range));
      for (const { by } of found) idle.delete(by);
      if (!range.buffer.startsWith('slot ')) return [name, range, found.map(({ value }) => value)];
      // an activation lies whole where it is read
      expect(found, label).toMatchObject([range]);
      return [name, found[0].value];
    });
    if (writes.every((name) => bindings[name].buffer.startsWith('slot '))) idle.add(dispatch);
    for (const name of writes) {
      const range = bindings[name];
      const value = numberOf(JSON.stringify([shader, constants, operands, name]));
      held = held.filter((other) => !overlap(other, range));
      held.push({ ...range, value, by: dispatch });
    }
  }
  const kept = held.filter(({ buffer }) => !buffer.startsWith('slot '));
  const texts = kept.map(({ buffer, offset, value }) => `${buffer} ${offset}: ${value}`);
  return { kept: texts.sort(), idle: [...idle].map(({ label }) => label) };
}

describe.each(Object.entries(graphs))('%s', (_, graph) => {
  const free = planOf(graph, 0);
  const most = free.totals.peakBytes;
  const least = leastOf(graph);
  const limits = [0, 0.2, 0.5, 0.8].map((share) => least + share * (most - least));
  const plans = limits.map((limit) => planOf(graph, limit));

  test('keeps within any limit down to the least, and much less is refused with that number', () => {
    plans.forEach(({ totals }, i) => {
      expect(totals.peakBytes).toBeLessThanOrEqual(limits[i]);
    });
    expect(least).toBeLessThan(0.95 * most);
    // how parts lie in buffers may leave a way by a little less
    expect(() => planOf(graph, 0.95 * least)).toThrow(
      `A training step takes at least ${Math.ceil(least / 1e6)} MB, however much of it is computed twice`,
    );
  });

  test('computes what it computes without a limit, each dispatch at most twice and none for nobody', () => {
    const numbers = new Map<string, number>();
    const whole = outcome(free, numbers);
    for (const plan of plans) {
      expect(outcome(plan, numbers)).toEqual(whole);
      const again = plan.dispatches.filter(isAgain);
      expect(new Set(again.map(identity)).size).toBe(again.length);
      for (const { writes, bindings } of again)
        for (const written of writes) expect(bindings[written].buffer).toMatch(/^slot /);
      expect(plan.dispatches.filter((d) => !isAgain(d)).map(identity)).toEqual(free.dispatches.map(identity));
    }
  });

  test('moves the more bytes the less memory it may take, and no more where it fits', () => {
    const moved = [...plans, free].map(({ totals }) => totals.bytes);
    expect(moved).toEqual([...moved].sort((a, b) => b - a));
    expect(moved[0]).toBeLessThan(1.5 * free.totals.bytes);
    expect(planOf(graph, most)).toEqual(free);
  });
});

test('what is cheap to compute again goes first', () => {
  // twelve tensors of a megabyte, each made of the one before: every other one by many operations
  const tensors = Array.from({ length: 13 }, (_, id) => tensor(id, 250_000));
  const named = (all: Tensor[]) => Object.fromEntries(all.map((t) => [t.name, t]));
  const item = (phase: Phase, reads: Tensor[], writes: Tensor[], flops: number) => ({
    phase,
    dispatch: { ...NOTHING, reads: named(reads), writes: named(writes), flops },
  });
  const forward = tensors.slice(1).map((t, i) => item('forward', [tensors[i]], [t], i % 2 === 0 ? 1e9 : 1e3));
  const backward = tensors.slice(1, -1).map((t, i) => item('backward', [t], [tensor(13 + i, 1)], 0));
  const checkpoints = new Checkpoints([...forward, ...backward.reverse()]);
  const dropped = checkpoints.cheapest(8.5e6)!;
  expect([...dropped].filter((flag, i) => flag === 1 && i % 2 === 0)).toEqual([]);
  expect(dropped.reduce((sum, flag) => sum + flag)).toBe(4);
  expect(checkpoints.cheapest(13.5e6)!.every((flag) => flag === 0)).toBe(true);
  expect(checkpoints.cheapest(1e6)).toBeUndefined();
});
