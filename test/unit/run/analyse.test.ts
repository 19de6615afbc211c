import { expect, test } from 'vitest';
import { writeSafetensors } from '../../../src/io/safetensors';
import { buildModel } from '../../../src/model/builder';
import { initialState } from '../../../src/model/init';
import { numbersOf } from '../../../src/model/state';
import { createModel } from '../../../src/model/zoo';
import { analyse } from '../../../src/run/analyse/analyse';
import { directionOf } from '../../../src/run/analyse/landscape';
import type { AnalyseJob } from '../../../src/run/analyse/options';
import { tapsOf } from '../../../src/run/analyse/similarity';
import type { AnalysisEvent } from '../../../src/run/job';
import { pictures, zip } from '../data/helpers';
import { fakeGpu } from '../fake-gpu';
import { fakeNetwork } from '../fake-network';

const small = (width: number) =>
  buildModel({ name: 'small', classes: 10 }, (net, x) => {
    const y = net.batchNorm('bn', net.conv('stem', x, width, 3, { stride: 4 }), 'relu');
    const z = net.batchNorm('bn2', net.conv('depthwise', y, width, 3, { groups: width }), 'relu');
    return net.head('fc', net.globalAvgPool(z));
  });

const model = small(8);

const network = (name: string, seed: number, from = model) => {
  const blob = new Blob([writeSafetensors(initialState(from, seed), new Map())]);
  const files = [{ path: `${name}.safetensors`, blob }];
  return { name, source: { kind: 'model' as const, model: from, files } };
};

/** An analysis on a device that computes nothing, of which every other image of each batch is told right. */
async function run(job: AnalyseJob, stopAt = Number.POSITIVE_INFINITY) {
  const { compute } = fakeNetwork({
    metrics: ({ rows }) => [rows * 0.5, rows / 2],
    logits: (image) => Array.from({ length: 10 }, (_, c) => (c === image % 10 ? 2 : 0)),
    stride: 12,
  });
  const device = fakeGpu((dispatches) => {
    // programs without a loss or without a set on the device are no business of this fake
    if (
      dispatches.some((d) => d.shader === 'loss/cross_entropy') &&
      dispatches.some((d) => d.shader === 'data/gather')
    )
      compute(dispatches);
  });
  const events: AnalysisEvent[] = [];
  const control = { cancelled: false };
  const result = await analyse(job, {
    gpu: async () => device,
    control,
    emit: (event) => {
      events.push(event);
      control.cancelled = event.share >= stopAt;
    },
  });
  return { result, events, leaks: device.leaks() };
}

const builtin = { kind: 'builtin', split: 'test' } as const;

test('weights alone need no device; what has moved is told layer by layer', async () => {
  const { result } = await run({ networks: [network('a', 1), network('b', 1), network('c', 2)] });
  expect(Object.keys(result.results)).toEqual(['weights']);
  expect(result.adapter).toBeUndefined();
  const { networks, changes } = result.results.weights!;
  expect(networks[0]).toEqual(networks[1]);
  expect(networks[0][0]).toMatchObject({ name: 'stem', shape: [8, 3, 3, 3], planes: 24 });
  expect(networks[0][1].gram!.eigenvalues).toHaveLength(9);
  expect(changes[0].whole).toEqual({ distance: 0, relative: 0, angle: 0 });
  // two draws of one distribution are at right angles, nearly, and as long
  expect(Math.abs(changes[1].whole.angle - 90)).toBeLessThan(10);
  expect(changes[1].whole.relative).toBeGreaterThan(1.2);
  expect(changes[1].layers.map(({ name }) => name)).toEqual(['stem', 'depthwise', 'fc']);
});

test('all analyses are made, in their order, and free what they took', async () => {
  const numbers = { images: 20, line: 3, grid: 2, products: 2, attackSteps: 1 };
  const job = { networks: [network('a', 1), network('b', 2)], test: builtin, transfer: builtin, numbers };
  const { result, events, leaks } = await run(job);
  expect(Object.keys(result.results)).toEqual([
    ...[
      'weights',
      'calibration',
      'similarity',
      'corruptions',
      'transfer',
      'attacks',
      'sharpness',
      'landscape',
    ],
  ]);
  const { calibration, landscape, corruptions, transfer } = result.results;
  expect(calibration!.networks.map(({ accuracy, loss }) => [accuracy, loss])).toEqual([
    [0.5, 0.5],
    [0.5, 0.5],
  ]);
  expect(calibration!.networks[1].paired).toMatchObject({ images: 20, difference: 0 });
  expect(landscape).toMatchObject({
    line: [-0.5, 0, 0.5],
    losses: [
      [0.5, 0.5, 0.5],
      [0.5, 0.5, 0.5],
    ],
  });
  expect(landscape!.grid!.losses[1]).toHaveLength(2);
  expect(landscape!.paths[0].steps).toEqual([-0.25, 0.5, 1.25]);
  expect(corruptions!.kinds.map(({ name, accuracy }) => [name, accuracy.length, accuracy[0].length])).toEqual(
    [
      ['noise', 2, 5],
      ['blur', 2, 5],
      ['contrast', 2, 5],
    ],
  );
  expect(transfer).toMatchObject({ source: 'builtin', images: { train: 20, test: 20 } });
  expect(result.images).toMatchObject({ source: 'builtin', count: 20, width: 32 });
  const shares = events.map(({ share }) => share);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  expect(leaks).toEqual([]);
});

test('one analysis that fails leaves the others', async () => {
  const numbers = { images: 16, line: 3, grid: 0 };
  const only = ['calibration', 'transfer', 'landscape'] as const;
  const { result } = await run({
    networks: [network('a', 1)],
    test: builtin,
    transfer: builtin,
    only,
    numbers,
  });
  expect(Object.keys(result.results)).toEqual(['calibration', 'landscape']);
  expect(result.failures).toEqual({ transfer: 'A linear probe needs 20 images to be fitted to, not 16.' });
  expect(result.stopped).toBe(false);
});

test('without test images those are looked at that a run would hold out, and no others', async () => {
  const letters = [...'abcdefghij'];
  const files = zip(pictures(...letters.map((letter) => `${letter}*10`)));
  const train = { kind: 'files', files } as const;
  const only = ['calibration'] as const;
  const job = { networks: [network('a', 1)], train, only, settings: { val: 0.3 } };
  const { result } = await run({ ...job, numbers: { images: 20 } });
  expect(result.images).toMatchObject({ count: 20, classes: letters });
  // three of ten of each class are held out
  expect((await run({ ...job, numbers: { images: 100 } })).result.images!.count).toBe(30);
});

test('what is stopped keeps what was made until then', async () => {
  const job = { networks: [network('a', 1)], test: builtin, numbers: { images: 16, grid: 0, line: 3 } };
  const { result, leaks } = await run(job, 1e-9);
  expect(result.stopped).toBe(true);
  expect(Object.keys(result.results)).toEqual(['weights', 'calibration']);
  expect(leaks).toEqual([]);
});

test('networks that cannot be compared are refused, by name', async () => {
  await expect(run({ networks: [network('a', 1), network('b', 1, small(4))] })).rejects.toThrow(
    'b is small and a is small, and stem.weight differs in shape',
  );
  await expect(run({ networks: [network('a', 1)], only: ['sharpness'] })).rejects.toThrow(
    'Sharpness needs images',
  );
  await expect(run({ networks: [] })).rejects.toThrow('Name 1 to 32 networks');
});

test('features are taken where convolutions and the classifier read, evenly if there are many', () => {
  const large = createModel('mobilenet_v2', { classes: 10, kwargs: { width_mult: 0.35 } });
  const taps = tapsOf(large);
  expect(taps).toHaveLength(24);
  expect(taps[0].reader).toBe('features.1.conv.0.0');
  expect(taps.at(-1)).toEqual({ value: large.features, reader: 'classifier.1' });
  expect(new Set(taps.map(({ value }) => value)).size).toBe(24);
});

test('a direction is the same for all networks but for the norms of their filters', () => {
  const [one, two] = [initialState(model, 1), initialState(model, 2)];
  const of = (state: typeof one) => directionOf({ name: '', file: '', model, state }, 3, 0);
  const name = 'depthwise.weight';
  const [a, b] = [of(one), of(two)].map((direction) => [...numbersOfFilter(direction.get(name)!)]);
  const ratio = a[0] / b[0];
  for (let i = 1; i < 9; i++) expect(a[i] / b[i]).toBeCloseTo(ratio, 4);
  const norm = (values: number[]) => Math.hypot(...values);
  expect(norm(a)).toBeCloseTo(norm([...numbersOfFilter(one.get(name)!)]), 4);
  // vectors stay
  expect(Array.from(numbersOf(of(one).get('bn.weight')!)).every((v) => v === 0)).toBe(true);
});

const numbersOfFilter = (tensor: Parameters<typeof numbersOf>[0]) =>
  Float32Array.from({ length: 9 }, (_, i) => numbersOf(tensor)[i]);
