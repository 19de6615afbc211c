import { expect, test } from 'vitest';
import { OutOfMemory, OverLimit } from '../../../src/errors';
import { createModel } from '../../../src/model/zoo';
import { withinMemory } from '../../../src/run/memory';
import { evaluateNetwork } from '../../../src/train/evaluate';
import { planTraining } from '../../../src/train/programs';
import { stepGraph } from '../../../src/train/run-programs';
import { trainedModel } from '../../../src/train/trained-model';
import { Trainer } from '../../../src/train/trainer';
import type { Training } from '../../../src/train/training-session';
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
  const done = withinMemory(
    training,
    { microBatch: asked, memory: 0 },
    (message) => warnings.push(message),
    work,
  );
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

test('a device that gives too little in all has parts of the step computed twice before batches are cut', async () => {
  const wide = () => {
    const training = tinyTraining({ batch: 64, microBatch: 64, method: 'finetune' });
    const side = { count: 64, height: 32, width: 32 };
    const model = trainedModel(createModel('resnet20_cifar'), training.settings);
    return { ...training, model, train: { ...training.train, ...side } };
  };
  const peak = ({ settings, ...training }: Training) =>
    planTraining(stepGraph({ ...training, settings }), settings, {}).totals.peakBytes;
  const fitting = (bytes: number, training: Training, asked = { microBatch: 'auto' as const, memory: 0 }) => {
    const warnings: string[] = [];
    const work = async () => {
      if (peak(training) > bytes) throw new OutOfMemory('The GPU could not give it.', 0.5, true);
    };
    return withinMemory(training, asked, (message) => warnings.push(message), work).then(() => warnings);
  };
  const training = wide();
  const most = peak(training);
  const [warning, ...others] = await fitting(0.7 * most, training);
  expect(warning).toMatch(/^The GPU has too little memory for a step that keeps all it computes \(\d+ MB\)/);
  expect(warning).toContain(`--memory ${training.settings.memory}.`);
  expect(others).toEqual([]);
  expect([training.settings.microBatch, peak(training) <= 0.7 * most]).toEqual([64, true]);
  const small = wide();
  expect((await fitting(0.1 * most, small)).join(' ')).toContain('micro-batches of');
  expect(small.settings.microBatch).toBeLessThan(64);
  // a limit that was given stays
  const given = wide();
  given.settings.memory = 1000;
  await fitting(0.7 * most, given, { microBatch: 'auto', memory: 1000 });
  expect(given.settings).toMatchObject({ memory: 1000, microBatch: 32 });
});

test('batches are cut where a limit of memory is too low for them, and the words are of the limit', async () => {
  const training = tinyTraining({ batch: 16, microBatch: 16 });
  const warnings: string[] = [];
  const work = async () => {
    if (training.settings.microBatch > 4) throw new OverLimit(5e6, 8.2e6);
  };
  await withinMemory(training, { microBatch: 'auto', memory: 5 }, (message) => warnings.push(message), work);
  expect(warnings[0]).toMatch(
    /^A batch of 16 images does not fit the memory limit of 5 MB, it takes at least 9 MB: micro-batches of 8 are tried/,
  );
  expect(training.settings).toMatchObject({ microBatch: 4, memory: 0 });
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
    { microBatch: 'auto', memory: 0 },
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
