import { describe, expect, test } from 'vitest';
import { floats, type StateDict } from '../../src/io/tensor';
import { buildModel } from '../../src/model/builder';
import { initialState } from '../../src/model/init';
import type { Model } from '../../src/model/model';
import { Diverged } from '../../src/train/divergence';
import type { Observer } from '../../src/train/observer';
import type { RunSettings } from '../../src/train/settings';
import { trainedModel } from '../../src/train/trained-model';
import { Trainer } from '../../src/train/trainer';
import { runSettings } from '../settings';
import { gpu } from './harness';

const SIDE = 8;

/** Three convolutions without norms, so that nothing tames what overflows, and a classifier of three classes. */
const plain = buildModel({ name: 'plain', classes: 3 }, (net, x) => {
  const conv = (name: string, y: Parameters<typeof net.conv>[1], inputs: number) =>
    net.conv(name, y, 4, 3, { groups: inputs === 4 ? 4 : 1 });
  const y = net.activation(conv('first', x, 3), 'relu');
  const z = net.activation(conv('second', y, 4), 'relu');
  return net.head('fc', net.globalAvgPool(net.activation(conv('third', z, 4), 'relu')));
});

const normed = buildModel({ name: 'normed', classes: 3 }, (net, x) =>
  net.head('fc', net.globalAvgPool(net.batchNorm('norm', net.conv('conv', x, 4, 3), 'relu'))),
);

/** Images of noise, classes in turn. */
const images = (count: number) => ({
  pixels: Uint8Array.from({ length: count * SIDE * SIDE * 3 }, (_, i) => (i * 7919 + (i >> 5)) % 251),
  labels: Uint16Array.from({ length: count }, (_, i) => i % 3),
  count,
  height: SIDE,
  width: SIDE,
  classes: ['a', 'b', 'c'],
});

/** The start with the numbers of some tensors all that many times as large. */
function scaled(factors: Record<string, number> = {}): { model: Model; start: StateDict } {
  const state = new Map(initialState(plain, 1));
  for (const [name, factor] of Object.entries(factors)) {
    const { shape, data } = state.get(name)!;
    state.set(
      name,
      floats(
        shape,
        Float32Array.from(data as Float32Array, (x) => Math.abs(x) * factor),
      ),
    );
  }
  return { model: plain, start: state };
}

/** Trains from that start, and returns what the run ends with, where that began, and what it said of the search. */
async function fail(
  { model, start }: { model: Model; start: StateDict },
  changed: Partial<RunSettings> = {},
  lr = 0.01,
  observer: Partial<Observer> = {},
) {
  const notes: string[] = [];
  const settings = runSettings({ method: 'finetune', optimizer: 'sgd', batch: 4, epochs: 2, lr, ...changed });
  const trainer = await Trainer.create(
    await gpu(),
    {
      model: trainedModel(model, settings),
      start,
      train: images(24),
      test: images(6),
      settings,
      schedule: { kind: 'constant', lr },
    },
    { steps() {}, evaluated() {}, warning() {}, note: (note) => notes.push(note), ...observer },
  );
  try {
    const error = await trainer.run({ cancelled: false }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Diverged);
    return { message: (error as Error).message, found: trainer.nonFinite, notes };
  } finally {
    trainer.session.destroy();
  }
}

describe('of a run whose numbers are no longer finite the layer is named', () => {
  test.each<[string, Partial<RunSettings>]>([
    ['in a batch that is taken whole', {}],
    ['in micro-batches', { microBatch: 2 }],
  ])('whose output overflows, %s', async (_, settings) => {
    const { message, found } = await fail(scaled({ 'first.weight': 1e20, 'second.weight': 1e20 }), settings);
    expect(found).toMatchObject({ step: 1, pass: 'forward', layer: 'second' });
    expect(message).toContain(`was that of second (${found!.kind}).`);
  });

  test('whose gradient does, with finite outputs and loss', async () => {
    const tamed = { 'first.weight': 1e15, 'second.weight': 1e15, 'third.weight': 1e-34, 'fc.weight': 1e15 };
    const { message, found } = await fail(scaled(tamed));
    expect(found).toMatchObject({ step: 1, pass: 'backward', layer: 'third' });
    expect(message).toContain('first gradient that was not came out of third');
  });

  test('whose update does, with a finite gradient', async () => {
    const { message, found } = await fail(scaled({ 'first.weight': 1e3 }), { weightDecay: 0 }, 3e38);
    expect(found).toMatchObject({ pass: 'update' });
    expect(message).toContain(`the update of ${found!.layer} was not`);
  });

  test('from the newest checkpoint as from the start', async () => {
    // weights grow ten thousandfold a step
    const growing = { weightDecay: 1, checkpointMinutes: 1e-6 };
    const whole = await fail(scaled(), growing, 1e4);
    const saved = await fail(scaled(), growing, 1e4, { checkpoint() {} });
    expect(whole.notes).toEqual([expect.stringContaining('since the start')]);
    expect(saved.notes).toEqual([expect.stringMatching(/since step \d/)]);
    expect(whole.found!.step).toBeGreaterThan(1);
    expect(saved.found).toEqual(whole.found);
  });

  test('where only the test images overflow', async () => {
    // training goes by a batch's own statistics
    const start = new Map(initialState(normed, 1)).set(
      'norm.running_mean',
      floats([4], new Float32Array(4).fill(-3e38)),
    );
    const { found, message } = await fail({ model: normed, start });
    // the norm's numbers are near the largest that there is, and the pool's sum beyond it
    expect(found).toMatchObject({ step: 6, pass: 'evaluation', layer: 'global_avg_pool.0' });
    expect(message).toMatch(
      /^The test loss was .* on test images after step 6, was that of global_avg_pool\.0 /,
    );
  });
});
