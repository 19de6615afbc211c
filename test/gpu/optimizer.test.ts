import { describe, expect, it } from 'vitest';
import { Graph } from '../../src/graph/graph';
import type { ArenaLayout } from '../../src/graph/ir';
import { placePersistent } from '../../src/graph/memory';
import { pack, unpack, vectorLayout } from '../../src/model/layout';
import { type AdamWOptions, adamCorrections, adamw } from '../../src/ops/optim/adamw';
import { type GroupFactors, groupTables } from '../../src/ops/optim/groups';
import { type SgdOptions, sgd } from '../../src/ops/optim/sgd';
import type { StepUniform } from '../../src/runtime/step';
import { adamwStep, clipFactor, sgdStep } from '../reference/optimizers';
import { expectClose, numbers, sessionOf, source } from './harness';

const SIZES = [1, 37, 130, 5000];
const STEPS = 6;

const random = source(11);
const starts = SIZES.map((size) => numbers([size], random));
const gradients = Array.from({ length: STEPS }, () => SIZES.map((size) => numbers([size], random)));

/** A group each. */
const GROUPS: GroupFactors[] = [
  { lr: 1, decay: 1 },
  { lr: 0.3, decay: 0 },
  { lr: 0, decay: 1 },
  { lr: 4, decay: 2.5 },
];
const ALONE = GROUPS.map(() => ({ lr: 1, decay: 1 }));

/** Parameters of odd sizes after some steps on given gradients, and the bytes of all arenas. */
async function optimize(
  optimizer: (g: Graph) => void,
  uniform: (step: number) => StepUniform,
  groups?: GroupFactors[],
) {
  const graph = new Graph();
  const places: ArenaLayout = {};
  const layouts = starts.map((p) => vectorLayout(p.shape));
  starts.forEach((p, i) => {
    const tensor = graph.tensor(`p${i}`, p.shape, { role: 'parameter' });
    placePersistent(tensor, places);
    placePersistent(graph.gradientOf(tensor), places);
  });
  optimizer(graph);
  const session = await sessionOf(graph, places);
  if (groups) {
    const ranges = new Map(starts.map((_, i) => [`p${i}`, places[`parameter:p${i}`]]));
    const tables = groupTables(ranges, (name) => groups[Number(name.slice(1))]);
    for (const [key, table] of tables) session.write(key, table);
  }
  const write = (buffer: string, data: Float32Array[]) => {
    const arena = new Float32Array(session.range(`arena:${buffer}`).bytes / 4);
    data.forEach((values, i) => {
      arena.set(values, places[`parameter:p${i}`].offset / 4);
    });
    session.write(`arena:${buffer}`, arena);
  };
  write(
    'parameters',
    starts.map((p, i) => pack(p.data, layouts[i])),
  );
  for (let step = 0; step < STEPS; step++) {
    write(
      'gradients',
      gradients[step].map((g, i) => pack(g.data, layouts[i])),
    );
    session.run('run', uniform(step));
  }
  const read = await session.readRanges(starts.map((_, i) => places[`parameter:p${i}`]));
  session.destroy();
  return read.map((p, i) => {
    expectClose(p, pack(unpack(p, layouts[i]), layouts[i]), 0, 'padding');
    return unpack(p, layouts[i]);
  });
}

/** The gradients of a step, clipped. */
function clipped(step: number, clipNorm: number): Float64Array[] {
  const all = gradients[step].map((g) => g.data);
  const factor = clipNorm > 0 ? clipFactor(all, clipNorm) : 1;
  return all.map((g) => Float64Array.from(g, (v) => v * factor));
}

describe('sgd', () => {
  it.each<Partial<SgdOptions>>([
    {},
    { momentum: 0.9, weightDecay: 1e-2 },
    { momentum: 0.9, nesterov: true, weightDecay: 1e-3 },
    { momentum: 0.9, clipNorm: 3 },
    { clipNorm: 1e6 },
    { groups: true },
    { momentum: 0.9, nesterov: true, weightDecay: 1e-2, clipNorm: 3, groups: true },
  ])('follows torch.optim.SGD: %o', async (given) => {
    const o = { momentum: 0, nesterov: false, weightDecay: 0, clipNorm: 0, ...given };
    const lr = (step: number) => 0.1 / (step + 1);
    const groups = o.groups ? GROUPS : ALONE;
    const got = await optimize(
      (g) => sgd(g, o),
      (step) => ({ lr: lr(step) }),
      o.groups ? groups : undefined,
    );
    starts.forEach((start, i) => {
      const weightDecay = o.weightDecay * groups[i].decay;
      const p = Float64Array.from(start.data);
      const buffer = new Float64Array(p.length);
      for (let step = 0; step < STEPS; step++)
        sgdStep(p, buffer, clipped(step, o.clipNorm)[i], { ...o, weightDecay, lr: lr(step) * groups[i].lr });
      expectClose(got[i], p, 2e-6, `p${i}`);
    });
  });
});

describe('adamw', () => {
  it.each<Partial<AdamWOptions>>([
    {},
    { weightDecay: 0.05, beta1: 0.8, beta2: 0.99 },
    { eps: 0.1, clipNorm: 2 },
    { weightDecay: 0.1, clipNorm: 2, groups: true },
  ])('follows torch.optim.AdamW: %o', async (given) => {
    const o = { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0, clipNorm: 0, ...given };
    const groups = o.groups ? GROUPS : ALONE;
    const got = await optimize(
      (g) => adamw(g, o),
      (step) => ({ lr: 0.01, ...adamCorrections(step + 1, o) }),
      o.groups ? groups : undefined,
    );
    starts.forEach((start, i) => {
      const weightDecay = o.weightDecay * groups[i].decay;
      const p = Float64Array.from(start.data);
      const [m, v] = [new Float64Array(p.length), new Float64Array(p.length)];
      for (let step = 0; step < STEPS; step++)
        adamwStep(p, m, v, clipped(step, o.clipNorm)[i], step + 1, {
          ...o,
          weightDecay,
          lr: 0.01 * groups[i].lr,
        });
      expectClose(got[i], p, 2e-6, `p${i}`);
    });
  });
});

it('gives the same bits twice', async () => {
  const run = () =>
    optimize(
      (g) => sgd(g, { momentum: 0.9, nesterov: false, weightDecay: 0.1, clipNorm: 1 }),
      () => ({ lr: 0.1 }),
    );
  expect(await run()).toEqual(await run());
});
