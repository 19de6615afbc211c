import { expect, test } from 'vitest';
import { copyImages, imageBytes } from '../../src/data/pixels';
import type { ImagesInMemory, LabelledImages } from '../../src/data/types';
import { buildModel } from '../../src/model/builder';
import { initialState } from '../../src/model/init';
import { evaluateNetwork } from '../../src/train/evaluate';
import type { RunSettings } from '../../src/train/settings';
import { Trainer } from '../../src/train/trainer';
import type { Training } from '../../src/train/training-session';
import { runSettings } from '../settings';
import { gpu, source } from './harness';

const model = buildModel({ name: 'tiny', classes: 3 }, (net, x) => {
  const y = net.batchNorm('bn', net.conv('conv', x, 6, 3), 'relu');
  return net.head('fc', net.globalAvgPool(y));
});

/** Images of 5 x 7: their bytes are no whole words. */
function images(count: number, seed: number): ImagesInMemory {
  const random = source(seed);
  const [height, width] = [5, 7];
  return {
    pixels: Uint8Array.from({ length: count * height * width * 3 }, () =>
      Math.floor((random() / Math.sqrt(12) + 0.5) * 256),
    ),
    labels: Uint16Array.from({ length: count }, (_, i) => i % 3),
    count,
    height,
    width,
    classes: ['a', 'b', 'c'],
  };
}

const inFile = (set: ImagesInMemory): LabelledImages => ({
  ...set,
  pixels: {
    bytes: set.pixels.length,
    place: 'a test',
    async read(numbers, into) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      copyImages(set.pixels, imageBytes(set), numbers, into);
    },
    async close() {},
  },
});

const train = images(45, 1);
const tested = images(300, 2);

async function run(t: Partial<Training>, changes: Partial<RunSettings>) {
  const settings = runSettings({
    method: 'finetune',
    batch: 8,
    epochs: 3,
    seed: 7,
    ...changes,
  });
  const training = { model, start: initialState(model, 1), train, test: tested, settings, ...t };
  const trainer = await Trainer.create(
    await gpu(),
    { ...training, schedule: { kind: 'constant', lr: 0.1 } },
    { steps() {}, evaluated() {}, warning: (message) => expect.fail(message) },
  );
  await trainer.run({ cancelled: false });
  const { last, points, evals } = trainer.outcome();
  trainer.session.destroy();
  const bytes = [...last.snapshot.buffers].map(([name, numbers]) => [name, ...numbers]);
  return { bytes, losses: [...points, ...evals].map(({ loss }) => loss) };
}

const settings: [string, Partial<RunSettings>][] = [
  ['crops and flips', { cropPadding: 1, flip: true }],
  [
    'a sampler, resized crops, mixup and micro-batches',
    { cropScale: 0.3, colorJitter: [0.4, 0.4, 0.4, 0.1], mixup: 0.5, microBatch: 3, balance: 'sampler' },
  ],
];

test.each(settings)(
  'with %s, weights and figures are the same to the bit, held or streamed',
  async (_, changes) => {
    const held = await run({}, changes);
    expect(new Set(held.losses).size).toBe(held.losses.length);
    for (const sets of [{}, { train: inFile(train), test: inFile(tested) }]) {
      const streamed = await run({ ...sets, heldBytes: 0 }, changes);
      expect(streamed.bytes).toEqual(held.bytes);
      expect(streamed.losses).toEqual(held.losses);
    }
    expect((await run({ test: inFile(tested), train: inFile(train) }, changes)).bytes).toEqual(held.bytes);
  },
);

test('an evaluation gives the same logits', async () => {
  const options = { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2], batch: 16, keep: tested.count };
  const evaluate = async (heldBytes?: number) =>
    evaluateNetwork(await gpu(), model, initialState(model, 1), tested, { ...options, heldBytes });
  expect(await evaluate(0)).toEqual(await evaluate());
});
