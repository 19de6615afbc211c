import { describe, expect, test } from 'vitest';
import { initialState } from '../../src/model/init';
import { unpack, weightLayout } from '../../src/model/layout';
import { mergeState } from '../../src/model/merge';
import { PRECONDITIONERS } from '../../src/model/model';
import { PRECONDITION, preconditionedLayers, preconditionerOf } from '../../src/model/precondition';
import { readState } from '../../src/model/read-state';
import { timesGram } from '../../src/model/refocus-math';
import { loadState, numbersOf } from '../../src/model/state';
import { Session } from '../../src/runtime/session';
import { trainProgram } from '../../src/train/programs';
import type { TrainSettings } from '../../src/train/settings';
import { trainedModel } from '../../src/train/trained-model';
import { runSettings } from '../settings';
import { BATCH, images, step as network } from '../step-case';
import { expectClose, gpu } from './harness';

const STEPS = 200;
const start = initialState(network, 5);

/** Steps on the images of step-case.ts; the session, its losses and its model. */
async function train(changes: Partial<TrainSettings>, steps: number) {
  const settings = { ...runSettings({ batch: BATCH, ...(changes as object) }), cropPadding: 0 };
  const model = trainedModel(network, settings);
  const { plan } = trainProgram({ model, settings, images, batch: BATCH, layout: {} });
  const session: Session<'train'> = await Session.create(await gpu(), { train: plan });
  loadState(session, model, start);
  const bytes = Uint8Array.from(
    { length: session.range('input:train images').bytes },
    (_, i) => (i * 7919) % 251,
  );
  session.write('input:train images', bytes);
  session.write('input:train labels', Uint32Array.from([0, 1, 2, 3, 4, 0, 1, 2]));
  session.write('input:train order', Uint32Array.from([3, 1, 4, 0, 5, 2, 7, 6]));
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    session.run('train', { step, rows: BATCH, batchOffset: (step % 2) * BATCH, lr: settings.lr });
    if (step % 50 === 49) losses.push((await session.read('output:metrics'))[0][4 * step] / BATCH);
  }
  const merged = await mergeState(
    model,
    await readState(await session.snapshot('parameters', 'state'), model, start),
  );
  return { session, model, losses, merged };
}

const sgd = { lr: 0.003, momentum: 0.9, weightDecay: 1e-2, flip: false } as const;

/**
 * Both take the same steps in exact arithmetic. In float32 they differ by the rounding of M BᵀB against that of D, about 1e-7 of a
 * weight a step, which 200 steps through batch norms let grow; with a wrong matrix they are 1e-1 apart after ten.
 */
test('Gram-preconditioned fine-tuning repeats factored refocusing over 200 steps, weights, norms and losses', async () => {
  const common = { ...sgd, layers: 'spatial', path: 'factored' } as const;
  const refocused = await train({ ...common, method: 'refocus' }, STEPS);
  const tuned = await train({ ...common, path: 'auto', method: 'precondition' }, STEPS);
  const control = await train(
    { ...common, path: 'auto', method: 'precondition', preconditioner: 'identity' },
    10,
  );
  for (const { session } of [refocused, tuned, control]) session.destroy();
  expect(tuned.losses.length).toBe(4);
  expectClose(tuned.losses, refocused.losses, 1e-4, 'losses');
  expect(furthest(tuned.merged, refocused.merged)).toBeLessThan(1e-4);
  expect(furthest(control.merged, refocused.merged)).toBeGreaterThan(0.05);
  const moved = (merged: typeof start) => {
    const [from, to] = [start, merged].map((state) => numbersOf(state.get('b.depthwise.weight')!));
    return Math.max(...Array.from(to, (v, i) => Math.abs(v - from[i])));
  };
  expect(moved(refocused.merged)).toBeGreaterThan(0.1);
});

/** The largest difference of a tensor against its largest number, the worst of all; some biases are zero but for rounding. */
function furthest(merged: typeof start, expected: typeof start): number {
  const worst = [...expected].map(([name, tensor]) => {
    const [from, to] = [tensor, merged.get(name)!].map(numbersOf);
    const size = Math.max(0.01, ...Array.from(from, Math.abs));
    return Math.max(...Array.from(from, (v, i) => Math.abs(v - to[i]))) / size;
  });
  return Math.max(...worst);
}

describe('the gradient of a change', () => {
  test.each(PRECONDITIONERS)("is the kernel's times the matrix: %s", async (preconditioner) => {
    const plain = await train({ ...sgd, method: 'finetune', momentum: 0 }, 1);
    const tuned = await train(
      { ...sgd, method: 'precondition', momentum: 0, layers: 'spatial', preconditioner, seed: 3 },
      1,
    );
    for (const layer of preconditionedLayers(tuned.model)) {
      const { name, shape, groups } = layer;
      const layout = weightLayout(shape, groups);
      const [dw] = await plain.session.read(`gradient:${name}.weight`);
      const [dd] = await tuned.session.read(`gradient:${PRECONDITION.change(name)}`);
      const matrices = preconditionerOf(layer, numbersOf(start.get(`${name}.weight`)!));
      const taps = shape[2] * shape[3];
      // as many equal runs of planes as there are matrices
      const planes = (shape[0] * shape[1]) / (matrices.length / taps ** 2);
      const geometry = { basis: shape, groups: planes, mapKernel: 3 };
      expectClose(unpack(dd, layout), timesGram(unpack(dw, layout), matrices, geometry), 1e-4, name);
    }
    plain.session.destroy();
    tuned.session.destroy();
  });
});
