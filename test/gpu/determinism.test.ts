import { expect, test } from 'vitest';
import type { LabelledImages } from '../../src/data/types';
import { buildModel } from '../../src/model/builder';
import { initialState } from '../../src/model/init';
import { mergeState } from '../../src/model/merge';
import { readState } from '../../src/model/read-state';
import type { RunSettings } from '../../src/train/settings';
import { trainedModel } from '../../src/train/trained-model';
import { Trainer } from '../../src/train/trainer';
import type { Training } from '../../src/train/training-session';
import { AUGMENTED, runSettings } from '../settings';
import { gpu } from './harness';

const SIZE = 8;

/** A residual block with everything that draws random numbers or sums over a batch. */
const tiny = buildModel({ name: 'tiny', classes: 3 }, (net, x) => {
  const stem = net.batchNorm('norm', net.conv('stem', x, 8, 3), 'relu');
  const branch = net.batchNorm(
    'branch.norm',
    net.conv('branch.conv', stem, 8, 3, { groups: 8 }),
    'hardswish',
  );
  const y = net.add(stem, net.stochasticDepth(net.conv('branch.point', branch, 8, 1), 0.3));
  return net.head('classifier', net.dropout(net.globalAvgPool(y), 0.3));
});

function images(count: number): LabelledImages {
  return {
    pixels: Uint8Array.from({ length: count * SIZE * SIZE * 3 }, (_, i) => (i * 7919 + (i >> 5)) % 251),
    labels: Uint16Array.from({ length: count }, (_, i) => i % 3),
    count,
    height: SIZE,
    width: SIZE,
    classes: ['a', 'b', 'c'],
  };
}

/** Two epochs of five steps; everything that a run gives, floats as their bits. */
async function train(settings: RunSettings) {
  const model = trainedModel(tiny, settings);
  const training: Training = {
    model,
    // the same start whatever the seed: what differs afterwards comes from the training
    start: initialState(tiny, 1),
    train: images(35),
    test: images(13),
    settings,
    schedule: { kind: 'constant', lr: settings.lr },
  };
  const trainer = await Trainer.create(await gpu(), training, {
    steps() {},
    evaluated() {},
    warning: (message) => expect.fail(message),
  });
  try {
    await trainer.run({ cancelled: false });
    const { points, evals, last, best, steps } = trainer.outcome();
    expect(steps).toBe(10);
    const state = await readState(last.snapshot, model, training.start);
    const merged = [...(await mergeState(model, state))].map(([name, { data }]) => [
      name,
      [...new Uint32Array(Float32Array.from(data as ArrayLike<number>).buffer)].join(),
    ]);
    return {
      metrics: points,
      evals,
      best: best === 'base' ? best : best.point.step,
      merged: Object.fromEntries(merged),
    };
  } finally {
    trainer.session.destroy();
  }
}

const common: RunSettings = {
  ...runSettings(),
  epochs: 2,
  batch: 8,
  lr: 0.05,
  seed: 3,
  cropPadding: 2,
  flip: true,
};

test.each<[string, Partial<RunSettings>]>([
  ['refocus', { method: 'refocus' }],
  ['refocus by dense maps, AdamW', { method: 'refocus', optimizer: 'adamw', lr: 1e-3 }],
  ['finetune, clipped', { method: 'finetune', clipNorm: 1 }],
  ['finetune, by all that augments', { ...AUGMENTED, method: 'finetune' }],
])('%s: the same seed gives the same bits, another seed others', async (_, given) => {
  const settings = { ...common, ...given };
  const first = await train(settings);
  expect(await train(settings)).toEqual(first);
  const other = await train({ ...settings, seed: 4 });
  expect(other.merged['branch.conv.weight']).not.toBe(first.merged['branch.conv.weight']);
  expect(other.metrics).not.toEqual(first.metrics);
});
