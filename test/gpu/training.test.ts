import { expect, test } from 'vitest';
import { floats, type StateDict } from '../../src/io/tensor';
import { buildModel } from '../../src/model/builder';
import { readState } from '../../src/model/read-state';
import { stepsPerEpoch } from '../../src/train/batches';
import { scheduleOf } from '../../src/train/schedule';
import type { RunSettings } from '../../src/train/settings';
import { trainedModel } from '../../src/train/trained-model';
import { Trainer } from '../../src/train/trainer';
import type { Training } from '../../src/train/training-session';
import fixture from '../fixtures/training.json';
import { runSettings } from '../settings';
import { expectClose, gpu } from './harness';

const { size, seed, lr } = fixture;

/** The network of test/fixtures/make_training.py. */
const tiny = buildModel({ name: 'tiny', classes: fixture.classes }, (net, x) => {
  const y = net.batchNorm('bn', net.conv('conv', x, 6, 3), 'relu');
  const z = net.batchNorm('bn2', net.conv('depthwise', y, 6, 3, { groups: 6 }), 'relu');
  return net.head('fc', net.globalAvgPool(z));
});

const stateOf = (tensors: Record<string, { shape: number[]; data: number[] }>): StateDict =>
  new Map(Object.entries(tensors).map(([name, { shape, data }]) => [name, floats(shape, data)]));

function images(pixels: number[], count: number) {
  return {
    pixels: Uint8Array.from(pixels.slice(0, count * size * size * 3)),
    labels: Uint16Array.from({ length: count }, (_, i) => i % fixture.classes),
    count,
    height: size,
    width: size,
    classes: ['a', 'b', 'c'],
  };
}

test.each(Object.entries(fixture.cases))(
  '%s: losses, evaluations and weights are PyTorch’s',
  async (_, c) => {
    const settings = runSettings({
      method: 'finetune',
      batch: 4,
      epochs: c.evaluations.length,
      lr,
      seed,
      schedule: 'constant',
      cropPadding: 0,
      flip: false,
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
      ...(c.settings as Partial<RunSettings>),
    });
    const train = images(fixture.train, c.images);
    const model = trainedModel(tiny, settings);
    const training: Training = {
      model,
      start: stateOf(fixture.start),
      train,
      test: images(fixture.test, 5),
      settings,
      schedule: scheduleOf(settings, stepsPerEpoch({ train, settings })),
    };
    const trainer = await Trainer.create(await gpu(), training, {
      steps() {},
      evaluated() {},
      warning: (message) => expect.fail(message),
    });
    await trainer.run({ cancelled: false });
    const { points, evals, last } = trainer.outcome();
    trainer.session.destroy();
    expectClose(
      points.map((p) => p.loss),
      c.losses,
      1e-5,
      'losses',
    );
    expectClose(
      evals.map((e) => e.loss),
      c.evaluations.map((e) => e.loss),
      1e-5,
      'test losses',
    );
    expectClose(
      evals.map((e) => e.accuracy),
      c.evaluations.map((e) => e.accuracy),
    );
    const state = await readState(last.snapshot, model, training.start);
    for (const [name, { data }] of stateOf(c.state))
      expectClose(state.get(name)!.data as Float32Array, data as Float32Array, 2e-5, name);
  },
);
