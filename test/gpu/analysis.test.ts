/** What analyses compute of a small network, against PyTorch in float64 (test/fixtures/make_analysis.py). */
import { expect, test } from 'vitest';
import { attacked } from '../../src/analysis/attack';
import { pointAt } from '../../src/analysis/landscape';
import { hessianProduct, largestEigenvalue } from '../../src/analysis/sharpness';
import type { ImagesInMemory } from '../../src/data/types';
import { floats, type StateDict } from '../../src/io/tensor';
import { buildModel } from '../../src/model/builder';
import { convolutions } from '../../src/model/model';
import { analyseAttacks, normalised, valuesOf } from '../../src/run/analyse/attacks';
import { analysisNumbers, EPSILONS } from '../../src/run/analyse/options';
import { networkFeatures } from '../../src/train/features';
import { InputGradient } from '../../src/train/input-gradient';
import { LossSurface } from '../../src/train/loss-surface';
import fixture from '../fixtures/analysis.json';
import { expectClose, gpu } from './harness';

const { size, mean, std, start, steps, directions, grid, gradient, largest, features, ...rest } =
  fixture.network;

const tiny = buildModel({ name: 'tiny', classes: rest.classes }, (net, x) => {
  const y = net.batchNorm('bn', net.conv('conv', x, 6, 3), 'silu');
  const z = net.batchNorm('bn2', net.conv('depthwise', y, 6, 3, { groups: 6 }), 'silu');
  return net.head('fc', net.globalAvgPool(z));
});

const state: StateDict = new Map(
  Object.entries(start).map(([name, { shape, data }]) => [name, floats(shape, data)]),
);

const images: ImagesInMemory = {
  pixels: Uint8Array.from(rest.pixels),
  labels: Uint16Array.from(rest.labels),
  count: rest.labels.length,
  height: size,
  width: size,
  classes: ['a', 'b', 'c'],
};

/** Batches of four, so that the last one is not full. */
const options = { mean, std, batch: 4 };

const surfaceOf = async () => LossSurface.create(await gpu(), tiny, state, images, options);

/** A tensor a parameter, in the network's shapes. */
const tensorsOf = (data: Record<string, number[]>): StateDict =>
  new Map(Object.entries(data).map(([name, numbers]) => [name, floats(state.get(name)!.shape, numbers)]));

test('losses on a plane through the network are PyTorch’s', async () => {
  const surface = await surfaceOf();
  const axes = directions.map((direction) => surface.parametersOf(tensorsOf(direction)));
  const losses: number[] = [];
  for (const a of steps)
    for (const b of steps) {
      const parameters = pointAt(surface.origin.parameters, axes, [a, b]);
      losses.push((await surface.at({ parameters })).loss);
    }
  // the origin is found again
  const { loss } = await surface.at({});
  surface.destroy();
  expectClose(losses, grid.flat(), 1e-6, 'losses');
  expectClose([loss], [grid[2][2]], 1e-6, 'loss');
});

test('running statistics are a part of a point', async () => {
  const surface = await surfaceOf();
  const { state: running } = surface.origin;
  const moved = await surface.at({ state: running.map((v) => 4 * v) });
  const back = await surface.at({});
  surface.destroy();
  expect(Math.abs(moved.loss - back.loss)).toBeGreaterThan(1e-3);
});

test('the gradient is PyTorch’s, and the largest eigenvalue that of the whole Hessian', async () => {
  const surface = await surfaceOf();
  const expected = surface.parametersOf(tensorsOf(gradient));
  expectClose(await surface.gradientAt({}), expected, 1e-5, 'gradient');
  // a second time, from zero again
  expectClose(await surface.gradientAt({}), expected, 1e-5, 'gradient');
  const product = hessianProduct(
    async (point) => Float64Array.from(await surface.gradientAt({ parameters: Float32Array.from(point) })),
    surface.origin.parameters,
  );
  const random = Float64Array.from(expected, (v, i) => (v === 0 ? 0 : Math.sin(i)));
  const found = await largestEigenvalue(product, random, { most: 60, tolerance: 1e-4 });
  surface.destroy();
  expect(Math.abs(found.value / largest - 1)).toBeLessThan(5e-3);
  expect(found.converged).toBe(true);
});

test('features of layers are PyTorch’s, averaged to a few pixels, image by image', async () => {
  const values = [convolutions(tiny)[1].inputs[0], tiny.features];
  const rows: Float32Array[][] = [[], []];
  const all = networkFeatures(await gpu(), tiny, state, images, { ...options, values, side: 4 });
  for await (const batch of all)
    batch.features.forEach((data, layer) => {
      const width = data.length / batch.images.length;
      for (const [row, image] of batch.images.entries())
        rows[layer][image] = data.subarray(row * width, (row + 1) * width);
    });
  features.forEach((expected, layer) => {
    expectClose(
      rows[layer].flatMap((row) => [...row]),
      expected,
      1e-5,
      `features ${layer}`,
    );
  });
});

test.each([
  ['FGSM', rest.fgsm],
  ['PGD', rest.pgd],
])('the images of %s are PyTorch’s, but where a gradient is nothing', async (_, attack) => {
  const passes = await InputGradient.create(await gpu(), tiny, state, {
    batch: 4,
    height: size,
    width: size,
  });
  const gradient = async (values: Float32Array | null) => {
    const input = normalised(values ?? clean, tiny.input, { mean, std }, size * size);
    return (await passes.of(input, rest.labels)).gradient;
  };
  const clean = valuesOf(images, tiny.input, 0, images.count);
  const { epsilon, step, count } = attack;
  const found = await attacked(clean, gradient, { epsilon, step, steps: count });
  passes.destroy();
  // from images, rows, columns and channels to images, channels, rows and columns
  const area = size * size;
  const place = (i: number) => {
    const [image, channel, pixel] = [Math.floor(i / (3 * area)), Math.floor(i / area) % 3, i % area];
    return (image * area + pixel) * 3 + channel;
  };
  const off = found.filter((value, i) => Math.abs(value - attack.images[place(i)]) > 1e-5);
  // the sign of a gradient within rounding of 0 is anyone's
  expect(off.length / found.length).toBeLessThan(2e-3);
});

test('accuracies under attack are PyTorch’s', async () => {
  const { networks } = await analyseAttacks({
    gpu: await gpu(),
    subjects: [{ name: 'tiny', file: 'tiny', model: tiny, state }],
    images,
    normalisation: { mean, std },
    numbers: { ...analysisNumbers(), attackSteps: rest.pgd.count },
    goOn: () => {},
  });
  expect(EPSILONS.at(-1)).toBe(rest.fgsm.epsilon);
  expect(networks[0].fgsm.at(-1)).toBeCloseTo(rest.fgsm.accuracy, 10);
  expect(networks[0].pgd.at(-1)).toBeCloseTo(rest.pgd.accuracy, 10);
});
