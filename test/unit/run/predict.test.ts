import { expect, test } from 'vitest';
import { decodeImage } from '../../../src/data/images/decode';
import { resizeAndCrop } from '../../../src/data/images/resize';
import type { UserFile } from '../../../src/data/types';
import { UserError } from '../../../src/errors';

import { writeSafetensors } from '../../../src/io/safetensors';
import type { StateDict } from '../../../src/io/tensor';
import { headEntries } from '../../../src/model/heads';
import { initialState } from '../../../src/model/init';
import { createModel } from '../../../src/model/zoo';
import type { TestEvent } from '../../../src/run/job';
import { type NetworkMetadata, withMetadata } from '../../../src/run/metadata';
import { likeliest, type PredictOptions, predict } from '../../../src/run/predict';
import { fixture } from '../data/helpers';
import { fakeGpu } from '../fake-gpu';
import { fakeNetwork } from '../fake-network';

const CLASSES = ['ant', 'bee', 'cat', 'dog'];
const model = createModel('resnet20_cifar', { classes: 4 });
const description: NetworkMetadata = {
  version: 1,
  architecture: 'resnet20_cifar',
  args: {},
  classes: CLASSES,
  preprocessing: { size: 12, mean: [0.25, 0.5, 0.75], std: [0.125, 0.25, 0.5] },
};

const network = (metadata: Map<string, string>, state: StateDict = initialState(model, 1)): UserFile => ({
  path: 'net.safetensors',
  blob: new Blob([writeSafetensors(state, metadata)]),
});
const described = network(withMetadata(new Map(), description));

const image = (name: string): UserFile => ({ path: name, blob: new Blob([fixture(name)]) });

/** Predicts on a device that gives the k-th image that it was given the class k, and notes what it saw. */
async function run(
  weights: UserFile,
  images: UserFile[],
  options?: PredictOptions,
  emit?: (event: TestEvent) => void,
) {
  const seen: Uint8Array[] = [];
  const { compute, batches } = fakeNetwork({
    logits: (k) => [0, 1, 2, 3].map((c) => (c === k % 4 ? 2 : -c)),
  });
  const gpu = fakeGpu((dispatches) => {
    seen.push(dispatches[0].bytes('images').slice());
    compute(dispatches);
  });
  const source = { kind: 'file' as const, files: [weights] };
  const result = await predict(async () => gpu, source, images, options, emit);
  return { ...result, seen, batches };
}

test('says how far it has come', async () => {
  const heard: string[] = [];
  const images = Array.from({ length: 70 }, () => image('gray.png'));
  await run(described, images, { batch: 64 }, ({ message }) => heard.push(message));
  expect(heard).toEqual([
    'Reading images: 32 of 70',
    'Reading images: 64 of 70',
    'Predicting: 0 of 70',
    'Predicting: 64 of 70',
  ]);
});

test('images in their order, those that are none named with the reason, from the file alone', async () => {
  const broken = { path: 'broken.jpg', blob: new Blob(['<!doctype html>']) };
  const names = ['gray.png', 'cmyk.jpg', 'alpha.webp', 'gray.gif'];
  const images = [...names.slice(0, 2).map(image), broken, ...names.slice(2).map(image)];
  const { predictions, seen } = await run(described, images, { top: 2 });
  expect(predictions.map((p) => ('top' in p ? [p.image, ...p.top.map((t) => t.class)] : p))).toEqual([
    ['gray.png', 'ant', 'bee'],
    ['cmyk.jpg', 'bee', 'ant'],
    { image: 'broken.jpg', error: 'it is a web page, saved in place of the image' },
    ['alpha.webp', 'cat', 'ant'],
    ['gray.gif', 'dog', 'ant'],
  ]);
  const pixels = await Promise.all(
    names.map(async (name) => {
      const decoded = await decodeImage(fixture(name));
      return resizeAndCrop(decoded.pixels, decoded, { width: 12, height: 12 });
    }),
  );
  expect(seen).toHaveLength(1);
  expect([...seen[0].subarray(0, 4 * 12 * 12 * 3)]).toEqual(pixels.flatMap((p) => [...p]));
});

test('without a description: numbers for names, the size that the network was made for', async () => {
  const { predictions, seen, notes } = await run(network(new Map()), [image('gray.png')], { top: 9 });
  expect(predictions).toMatchObject([
    { top: [{ class: '0' }, { class: '1' }, { class: '2' }, { class: '3' }] },
  ]);
  expect(seen[0]).toHaveLength(32 * 32 * 3);
  const cut = await run(network(new Map()), [image('gray.png')], { cropPct: 0.875 });
  expect(cut.notes.at(-1)).toContain('of 32 x 32 pixels, the middle of what is resized to 36 (');
  expect(notes).toEqual([
    expect.stringMatching(/^net\.safetensors is ResNet-20/),
    expect.stringMatching(/^The network sees images of 32 x 32 pixels \(/),
  ]);
});

test('more images than are decoded at a time', async () => {
  const { predictions, batches } = await run(described, new Array(258).fill(image('gray.png')));
  expect(predictions).toHaveLength(258);
  // the second part begins anew
  expect(predictions.map((p) => ('top' in p ? p.top[0].class : p))).toEqual(
    Array.from({ length: 258 }, (_, k) => CLASSES[(k % 256) % 4]),
  );
  expect(batches.map(({ rows }) => rows)).toEqual([32, 32, 32, 32, 32, 32, 32, 32, 2]);
});

test('a network without a classifier, and a size that no network has, are refused', async () => {
  const headless = new Map(initialState(model, 1));
  for (const name of headEntries(model)) headless.delete(name);
  await expect(run(network(new Map(), headless), [image('gray.png')])).rejects.toThrow(
    /^net\.safetensors has no classifier that is read here, .*: train it/,
  );
  const huge = { ...description, preprocessing: { ...description.preprocessing!, size: 1e9 } };
  await expect(run(network(withMetadata(new Map(), huge)), [image('gray.png')])).rejects.toThrow(
    /^The image size 1000000000 is not possible/,
  );
});

test('answers that are not finite are no answers, and options out of range are named', async () => {
  const { compute } = fakeNetwork({ logits: (k) => (k === 0 ? [Number.NaN, 1, 2, 3] : [1, 2, 3, 4]) });
  const source = { kind: 'file' as const, files: [described] };
  const two = [image('gray.png'), image('gray.gif')];
  const { predictions } = await predict(async () => fakeGpu(compute), source, two);
  expect(predictions).toMatchObject([
    {
      image: 'gray.png',
      error: expect.stringMatching(/^the network answers with numbers that are not finite/),
    },
    { image: 'gray.gif', top: [{ class: 'dog' }, {}, {}, {}] },
  ]);
  for (const options of [{ batch: 0 }, { mean: [0.5] }, { std: [0, 0, 0] }, { cropPct: 5 }, { top: 0 }]) {
    const refused = predict(async () => fakeGpu(compute), source, two, options);
    await expect(refused, JSON.stringify(options)).rejects.toThrow(new RegExp(Object.keys(options)[0]));
    await expect(refused).rejects.toThrow(UserError);
  }
});

test('a classifier of one row tells no classes apart', async () => {
  const one = createModel('resnet20_cifar', { classes: 1 });
  const bytes = writeSafetensors(initialState(one, 1));
  const file = { path: 'net.safetensors', blob: new Blob([bytes]) };
  await expect(run(file, [image('gray.png')])).rejects.toThrow(
    /^net\.safetensors has a classifier of one row/,
  );
});

test('probabilities are the softmax of all classes, whatever is shown', () => {
  const logits = [1000, 1000 + Math.log(2), 1000 + Math.log(5)];
  const [first, second, ...rest] = likeliest(logits, 2, { classes: ['a', 'b', 'c'] });
  expect([first.class, second.class, rest]).toEqual(['c', 'b', []]);
  expect(first.probability).toBeCloseTo(5 / 8, 12);
  expect(second.probability).toBeCloseTo(2 / 8, 12);
});
