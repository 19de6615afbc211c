import { expect, test } from 'vitest';
import { writeSafetensors } from '../../../src/io/safetensors';
import { initialState } from '../../../src/model/init';
import { createModel } from '../../../src/model/zoo';
import { evaluateSource } from '../../../src/run/evaluate';
import { withMetadata } from '../../../src/run/metadata';
import { pictures, zip } from '../data/helpers';
import { fakeGpu } from '../fake-gpu';
import { fakeNetwork } from '../fake-network';

const classes = ['ant', 'bee', 'cat'];
const model = createModel('resnet20_cifar', { classes: 3 });
const description = {
  version: 1,
  architecture: 'resnet20_cifar',
  args: {},
  classes,
  preprocessing: { size: 12, mean: [0.25, 0.5, 0.75], std: [0.125, 0.25, 0.5] },
} as const;

test('a network is tested class by class, and each image has its prediction', async () => {
  const files = ['ant/1.png', 'ant/2.png', 'bee/1.png', 'bee/2.png', 'bee/3.png', 'cat/1.png'];
  // of bees the first is told to be an ant, all else is told right
  const told = [0, 0, 0, 1, 1, 2];
  const { compute } = fakeNetwork({
    logits: (image) => [0, 1, 2].map((c) => (c === told[image] ? 1 : 0)),
    metrics: ({ rows }) => [rows * 0.75, rows === 4 ? 3 : 2],
  });
  const metadata = withMetadata(new Map(), structuredClone(description) as never);
  const weights = new Blob([writeSafetensors(initialState(model, 1), metadata)]);
  const source = { kind: 'file' as const, files: [{ path: 'net.safetensors', blob: weights }] };
  const images = { kind: 'files' as const, files: zip(pictures(...files)) };
  const heard: [string, number][] = [];
  const result = await evaluateSource(
    async () => fakeGpu(compute),
    source,
    images,
    { batch: 4 },
    (event) => heard.push([event.message, event.share]),
  );
  expect(heard.slice(-3)).toEqual([
    ['Testing images: 0 of 6', 0],
    ['Testing images: 4 of 6', 4 / 6],
    ['Testing images: 6 of 6', 1],
  ]);
  expect(heard[0][0]).toMatch(/^Reading images: \d of 6$/);
  expect(result).toMatchObject({ accuracy: 5 / 6, loss: 0.75, images: 6 });
  expect(result.figures.confusion).toEqual([
    [2, 0, 0],
    [1, 2, 0],
    [0, 0, 1],
  ]);
  expect(result.figures.wrong).toMatchObject([{ image: 'bee/1.png', label: 'bee', predicted: 'ant' }]);
  expect(result.predictions.map(({ image }) => image)).toEqual(files);
  expect(result.predictions.map(({ predicted }) => classes.indexOf(predicted))).toEqual(told);
});
