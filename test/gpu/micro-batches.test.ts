import { expect, test } from 'vitest';
import { buildModel } from '../../src/model/builder';
import { initialState } from '../../src/model/init';
import { readState } from '../../src/model/read-state';
import type { RunSettings } from '../../src/train/settings';
import { trainedModel } from '../../src/train/trained-model';
import { Trainer } from '../../src/train/trainer';
import { runSettings } from '../settings';
import { expectClose, gpu, source } from './harness';

const SIZE = 8;

/** Without batch norm, whose statistics are a micro-batch's own. */
const model = buildModel({ name: 'plain', classes: 3 }, (net, x) => {
  const y = net.activation(net.conv('conv', x, 8, 3, { bias: true }), 'relu');
  const z = net.activation(net.conv('depthwise', y, 8, 3, { groups: 8, bias: true }), 'relu');
  return net.head('fc', net.globalAvgPool(z));
});

function images(count: number) {
  const random = source(11);
  return {
    pixels: Uint8Array.from({ length: count * SIZE * SIZE * 3 }, () => 128 + 40 * random()),
    labels: Uint16Array.from({ length: count }, (_, i) => (i % 5) % 3),
    count,
    height: SIZE,
    width: SIZE,
    classes: ['a', 'b', 'c'],
  };
}

/** The network after a run, and the losses of its steps. */
async function run(changes: Partial<RunSettings>) {
  const settings = runSettings({
    batch: 12,
    epochs: 2,
    lr: 0.05,
    cropPadding: 1,
    weightDecay: 0.01,
    ...changes,
  });
  const trained = trainedModel(model, settings);
  const start = initialState(trained, 3, settings.mapInit);
  const schedule = { kind: 'constant', lr: settings.lr } as const;
  const training = { model: trained, start, train: images(31), test: images(5), settings, schedule };
  const trainer = await Trainer.create(await gpu(), training, {
    steps() {},
    evaluated() {},
    warning: (message) => expect.fail(message),
  });
  await trainer.run({ cancelled: false });
  const { points, last } = trainer.outcome();
  trainer.session.destroy();
  return { state: await readState(last.snapshot, trained, start), losses: points.map(({ loss }) => loss) };
}

test.each<[string, Partial<RunSettings>]>([
  ['factored maps', { method: 'refocus', path: 'factored', clipNorm: 0.05 }],
  [
    'dense maps, weighted classes',
    { method: 'refocus', path: 'dense', balance: 'loss', labelSmoothing: 0.1 },
  ],
  ['maps and kernels, AdamW, averaged', { method: 'joint', optimizer: 'adamw', ema: 0.8 }],
  ['the head alone at first', { method: 'finetune', headEpochs: 1, headLr: 3 }],
])('%s: micro-batches train as whole batches do', async (_, settings) => {
  const whole = await run(settings);
  // of twelve 5, 5 and 2, of the last seven 5 and 2
  const pieces = await run({ ...settings, microBatch: 5 });
  expectClose(pieces.losses, whole.losses, 1e-5, 'losses');
  for (const [name, { data }] of whole.state)
    expectClose(pieces.state.get(name)!.data as Float32Array, data as Float32Array, 1e-4, name);
});
