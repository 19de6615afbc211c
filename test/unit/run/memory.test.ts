import { expect, test } from 'vitest';
import { OutOfMemory } from '../../../src/errors';
import { withinMemory } from '../../../src/run/memory';
import { evaluateNetwork } from '../../../src/train/evaluate';
import { Trainer } from '../../../src/train/trainer';
import { fakeGpu } from '../fake-gpu';
import { fakeNetwork, labelled, tinyModel, tinyState, tinyTraining } from '../fake-network';

/** Work that fits from so many images on. */
async function fit(asked: number | 'auto', fits: number, share = 0.5) {
  const training = tinyTraining({ batch: 16, microBatch: asked === 'auto' ? 16 : asked });
  const tried: number[] = [];
  const warnings: string[] = [];
  const work = async () => {
    const { microBatch } = training.settings;
    tried.push(microBatch);
    if (microBatch > fits) throw new OutOfMemory('The GPU could not give 9 MB.', share);
    return microBatch;
  };
  const done = withinMemory(training, { microBatch: asked }, (message) => warnings.push(message), work);
  return { rows: await done.catch((error: Error) => error), tried, warnings };
}

test('halves the micro-batch until it fits, and says so', async () => {
  expect(await fit('auto', 16)).toEqual({ rows: 16, tried: [16], warnings: [] });
  const { rows, tried, warnings } = await fit('auto', 5);
  expect([rows, tried]).toEqual([4, [16, 8, 4]]);
  expect(warnings[1]).toContain('a batch of 16 images: micro-batches of 4 are tried');
  // what is known of the memory spares the tries
  expect((await fit('auto', 5, 0.3)).tried).toEqual([16, 4]);
});

test('proposes a number where one was given, and gives up below two images', async () => {
  const given = await fit(8, 5);
  expect((given.rows as Error).message).toBe(
    'The GPU could not give 9 MB. Or take each batch in smaller micro-batches, of 4 images (--micro-batch 4).',
  );
  expect(given.tried).toEqual([8]);
  const never = await fit('auto', 1);
  expect(never.rows).toBeInstanceOf(OutOfMemory);
  expect(never.tried).toEqual([16, 8, 4, 2]);
});

test('a device whose buffers are too small for a batch trains and tests in smaller ones', async () => {
  const { compute, batches } = fakeNetwork();
  const gpu = fakeGpu(compute);
  const training = tinyTraining({ epochs: 1, batch: 22, microBatch: 22 });
  const observer = { steps() {}, evaluated() {}, warning() {} };
  // 4 x 4 pixels of four numbers an image: 19 images of activations and not 22
  Object.assign(gpu.device.limits, { maxStorageBufferBindingSize: 19 * 256 });
  await expect(Trainer.create(gpu, training, observer)).rejects.toThrow(OutOfMemory);
  const trainer = await withinMemory(
    training,
    { microBatch: 'auto' },
    () => {},
    () => Trainer.create(gpu, training, observer),
  );
  expect(training.settings.microBatch).toBe(11);
  await trainer.run({ cancelled: false });
  trainer.session.destroy();
  expect(new Set(batches.map(({ rows }) => rows))).toEqual(new Set([11, 7]));
  const normalisation = { mean: [0, 0, 0], std: [1, 1, 1] };
  batches.length = 0;
  await evaluateNetwork(gpu, tinyModel, tinyState(), labelled(40), normalisation);
  expect(batches.map(({ rows }) => rows)).toEqual([10, 10, 10, 10]);
  expect(gpu.leaks().filter((label) => label !== 'read-back')).toEqual([]);
});
