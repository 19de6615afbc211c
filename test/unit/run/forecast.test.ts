import { expect, test } from 'vitest';
import { OverLimit } from '../../../src/errors';
import { createModel } from '../../../src/model/zoo';
import { type ForecastOf, fittingRows, forecast } from '../../../src/run/forecast';
import { forecastJob } from '../../../src/run/forecast-job';
import { forecastSentence } from '../../../src/run/forecast-words';
import { readyForLimit } from '../../../src/train/programs';
import { defaultSettings } from '../../../src/train/settings';
import { runSettings } from '../../settings';
import { fakeGpu } from '../fake-gpu';

await readyForLimit({ memory: 1 });

const model = createModel('mobilenet_v2', { width: 0.35, stemStride: 1, classes: 10 });
const set = (count: number) => ({ count, height: 32, width: 32 });
const of = (settings: Parameters<typeof runSettings>[0] = {}): ForecastOf => ({
  model,
  settings: runSettings({ method: 'finetune', batch: 32, microBatch: 32, epochs: 2, ...settings }),
  train: set(320),
  test: set(64),
});

test('memory is that of all buffers, by what they hold', () => {
  const { memory, steps } = forecast(of());
  expect(memory.all).toBe(memory.weights + memory.optimiser + memory.activations + memory.images);
  expect(memory.images).toBeGreaterThanOrEqual((320 + 64) * 3072);
  expect(steps).toBe(20);
  const numbers = model.state.filter(({ role }) => role === 'parameter');
  const least = 4 * numbers.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  // the weights, and of each its gradient and its momentum
  expect(memory.weights).toBeGreaterThanOrEqual(least);
  expect(memory.optimiser).toBeGreaterThanOrEqual(2 * least);
  expect(memory.weights, 'no more than a tenth for padding').toBeLessThan(1.3 * least);
  const adam = forecast(of({ optimizer: 'adamw' })).memory;
  expect(adam.optimiser - memory.optimiser).toBeGreaterThanOrEqual(least);
  expect(forecast(of({ batch: 64, microBatch: 64 })).memory.activations).toBeGreaterThan(
    1.5 * memory.activations,
  );
});

test('maps are counted beside fine-tuning, which has none', () => {
  expect(forecast(of()).added).toBeUndefined();
  expect(forecast(of({ method: 'retrain' })).added).toBeUndefined();
  const { added, memory } = forecast(of({ method: 'refocus', path: 'dense' }));
  // 9 numbers for each pair of the depthwise layers' channels
  const pairs = model.layers.reduce(
    (sum, layer) => (layer.kind === 'conv' && layer.groups > 1 ? sum + layer.shape[0] ** 2 : sum),
    0,
  );
  expect(added?.numbers).toBe(9 * pairs);
  expect(added?.bytes).toBe(memory.all - forecast(of()).memory.all);
  expect(added?.flops).toBeGreaterThan(0);
  const sentence = forecastSentence(forecast(of({ method: 'refocus', path: 'dense' })));
  expect(sentence).toContain(`add ${(9 * pairs).toLocaleString('en')} numbers and`);
  expect(sentence).toContain('merged they cost nothing');
  // of a network of which the maps alone train there is fine-tuning all the same
  expect(forecast(of({ method: 'refocus', freeze: 'all-but-maps' })).added?.numbers).toBeGreaterThan(0);
});

const depthwise = model.layers.filter((layer) => layer.kind === 'conv' && layer.groups > 1);

test('so are the matrices of a preconditioner, which do not train', () => {
  const { added, memory } = forecast(of({ method: 'precondition' }));
  expect(added).toMatchObject({ what: 'matrices', numbers: depthwise.length * 81 });
  expect(added!.bytes).toBe(memory.all - forecast(of()).memory.all);
  expect(added!.flops).toBeGreaterThan(0);
  expect(forecastSentence(forecast(of({ method: 'precondition' })))).toContain(
    `its matrices add ${(depthwise.length * 81).toLocaleString('en')} numbers`,
  );
  const { added: own } = forecast(of({ method: 'precondition', preconditioner: 'own' }));
  expect(own!.numbers, 'one a kernel').toBeGreaterThan(added!.numbers);
});

test('and branches, by what they train more', () => {
  const { added } = forecast(of({ method: 'branches', branches: 'acnet' }));
  const channels = depthwise.reduce((sum, layer) => sum + (layer.kind === 'conv' ? layer.shape[0] : 0), 0);
  // a row and a column of three, with the weight and bias of a norm each
  expect(added).toMatchObject({ what: 'branches', numbers: channels * 2 * (3 + 2) });
  expect(added!.flops).toBeGreaterThan(0);
  expect(added!.bytes).toBeGreaterThan(0);
});

test('a whole run is its steps and its tests', () => {
  const [two, three] = [2, 3].map((epochs) => forecast(of({ epochs })));
  expect(three.steps).toBe(30);
  const epoch = three.flops - two.flops;
  expect(epoch).toBeGreaterThan(10 * two.flopsPerStep);
  expect(epoch).toBeLessThan(11 * two.flopsPerStep);
});

test('a micro-batch that fits is named', () => {
  const { largest } = forecast(of()).memory;
  const rows = fittingRows(of(), largest / 4)!;
  const largestOf = (microBatch: number) => forecast(of({ microBatch })).memory.largest;
  expect(largestOf(rows)).toBeLessThanOrEqual(largest / 4);
  expect(largestOf(2 * rows)).toBeGreaterThan(largest / 4);
  expect(fittingRows(of(), 1)).toBeUndefined();
});

test('a device that does not hold the run is told beforehand, with what would do', async () => {
  const job = (settings: object) => ({
    model,
    classes: 3,
    images: { train: 100, test: 20, width: 32, height: 32 },
    settings: { ...defaultSettings(), ...settings },
  });
  const gpu = fakeGpu(() => {});
  expect((await forecastJob(job({}), gpu)).tooLarge).toBeUndefined();
  const large = await forecastJob(job({ imageSize: 512, batch: 100 }), gpu);
  const most = gpu.device.limits.maxStorageBufferBindingSize;
  expect(large.tooLarge).toEqual({
    what: 'buffer',
    bytes: large.memory.largest,
    most,
    rows: expect.any(Number),
    f16: expect.any(Boolean),
  });
  const { rows } = large.tooLarge!;
  const fits = await forecastJob(job({ imageSize: 512, batch: 100, microBatch: rows }), gpu);
  expect(fits.tooLarge).toBeUndefined();
  expect(
    (await forecastJob(job({ imageSize: 512, batch: 100, microBatch: 2 * rows! }), gpu)).tooLarge,
  ).toBeDefined();
  expect(
    (await forecastJob(job({ imageSize: 512, batch: 100 }))).tooLarge,
    'without a device',
  ).toBeUndefined();
});

test('what a limit of memory costs is told, and is none where a step fits', () => {
  const free = forecast(of());
  expect(free.repeated).toBeUndefined();
  expect(forecast(of({ memory: 1000 })).repeated).toBeUndefined();
  const { repeated, memory, flopsPerStep } = forecast(of({ memory: 30 }));
  expect(repeated).toMatchObject({ limit: 30, dispatches: expect.any(Number) });
  expect(repeated!.peak).toBeLessThanOrEqual(30e6);
  expect(repeated!.without).toBeGreaterThan(30e6);
  expect(flopsPerStep).toBe(free.flopsPerStep * (1 + repeated!.flops));
  expect(memory.all).toBeLessThan(free.memory.all);
  expect(forecastSentence(forecast(of({ memory: 30 })))).toMatch(
    /A step takes [\d.]+ MB of the 30 MB allowed, and [\d.]+ MB without a limit: \d+ dispatches run twice, with the same results/,
  );
  // what the method adds is told as without a limit
  const method = { method: 'refocus', path: 'dense' } as const;
  expect(forecast(of({ ...method, memory: 90 })).added).toEqual(forecast(of(method)).added);
});

test('a limit that no step of the batch keeps within is told beforehand, with the micro-batch that does', async () => {
  const job = (settings: object) => ({
    model,
    classes: 10,
    images: { train: 320, test: 64, width: 32, height: 32 },
    settings: { ...defaultSettings(), method: 'finetune' as const, batch: 64, ...settings },
  });
  const { tooLarge, memory } = await forecastJob(job({ memory: 25 }));
  expect(tooLarge).toMatchObject({ what: 'step', most: 25e6 });
  expect(tooLarge!.bytes).toBeGreaterThan(25e6);
  const { rows } = tooLarge!;
  const fits = await forecastJob(job({ memory: 25, microBatch: rows }));
  expect(fits.tooLarge).toBeUndefined();
  expect(fits.memory).toEqual(memory);
  expect((await forecastJob(job({ memory: 25, microBatch: 2 * rows! }))).tooLarge).toBeDefined();
  expect((await forecastJob(job({ memory: Math.ceil(tooLarge!.bytes / 1e6) }))).tooLarge).toBeUndefined();
  await expect(forecastJob(job({ memory: 1 }))).rejects.toThrow(OverLimit);
});
