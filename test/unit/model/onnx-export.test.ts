import { expect, test } from 'vitest';
import { product } from '../../../src/graph/tensor';
import { encodeOnnx } from '../../../src/io/onnx/encode';
import { floats, type StateDict } from '../../../src/io/tensor';
import { openWeights } from '../../../src/io/weights-file';
import { buildModel, type ConvOptions } from '../../../src/model/builder';
import type { LayerKind, Model } from '../../../src/model/model';
import { BLOCK_ORDERS } from '../../../src/model/onnx/blocks';
import { type ExportOptions, exportOnnx } from '../../../src/model/onnx/export';
import { importOnnx } from '../../../src/model/onnx/import';
import { normals, uniforms } from '../../../src/model/random';
import { createModel } from '../../../src/model/zoo';
import { difference, runOnnx, someImages } from '../../onnx';
import { evaluateModel } from '../../reference/model';
import { signature } from '../../signature';

type Window = Omit<Extract<LayerKind, { kind: 'max_pool' }>, 'kind'>;

/** Numbers under which activations stay of one size, and no norm is the identity. */
function someState(model: Model): StateDict {
  const state: StateDict = new Map();
  for (const { name, shape } of model.state) {
    const [uniform, normal] = [uniforms(5, name), normals(uniforms(5, name))];
    const deviation = (2 / product(shape.slice(1))) ** 0.5;
    const isVector = shape.length === 1 || product(shape) === shape[0];
    const [low, high] = /bias$|running_mean$/.test(name) ? [-0.1, 0.1] : [0.6, 1.1];
    const draw = () => (isVector ? low + (high - low) * uniform() : deviation * normal());
    state.set(name, floats(shape, Array.from({ length: product(shape) }, draw)));
  }
  return state;
}

const PLAIN: ExportOptions = { size: 32, preprocessing: false, softmax: false, fold: false };

async function exported(model: Model, state: StateDict, options: ExportOptions) {
  const bytes = encodeOnnx(exportOnnx(model, state, options), new Map());
  const { onnx } = await openWeights({ path: 'net.onnx', blob: new Blob([bytes]) });
  return { bytes, ...importOnnx(onnx!.graph) };
}

const NETWORKS: [arch: string, kwargs?: Record<string, unknown>, width?: number][] = [
  ['mobilenet_v2', undefined, 0.25],
  ['mobilenet_v3_small', undefined, 0.5],
  ['shufflenet_v2_x0_5'],
  ['resnet20_cifar'],
  ['resnet', { block: 'Bottleneck', layers: [1, 1] }],
  ['densenet', { growth_rate: 8, block_config: [2, 3], num_init_features: 16 }],
  [
    'convnext',
    {
      blocks: [
        [24, 48, 1],
        [48, null, 2],
      ],
    },
  ],
  ['efficientnet_b0'],
  ['squeezenet1_1'],
  ['mnasnet0_5'],
  ['convnextv2', { depths: [1, 1, 1, 1], dims: [8, 16, 24, 32] }],
  ['fasternet_t0'],
  ['hornet_tiny_7x7', { base_dim: 16, depths: [1, 1, 1, 1] }],
  ['ds_cnn'],
];

test.each(NETWORKS)(
  '%s answers in onnxruntime as it does here, and is read as itself again',
  async (arch, kwargs, width) => {
    const model = createModel(arch, { classes: 10, kwargs, width });
    const state = someState(model);
    const images = someImages([2, model.input.channels, 32, 32]);
    const { bytes, ...again } = await exported(model, state, PLAIN);
    const expected = evaluateModel(model, state, images).data;
    // random numbers make FasterNet's activations so large that single precision itself is off by 4e-4
    const tolerance = arch.startsWith('fasternet') ? 1e-3 : 1e-4;
    expect(difference(await runOnnx(bytes, images), expected)).toBeLessThan(tolerance);
    expect(signature(again.model)).toEqual(signature(model));
    expect([...again.state.keys()].sort()).toEqual([...state.keys()].sort());
    for (const [name, { data }] of state) {
      const numbers = again.state.get(name)!.data as Float32Array;
      expect(numbers.every((x, at) => x === data[at])).toBe(true);
    }
  },
);

test('nearest upsampling is written as what it is, and answers in onnxruntime as it does here', async () => {
  const model = buildModel({ name: 'up', classes: 3 }, (net, x) => {
    const small = net.conv('down', x, 8, 3, { stride: 4 });
    const joined = net.concat([net.upsample(small, 4), x]);
    return net.head('fc', net.globalAvgPool(net.activation(net.conv('mix', joined, 6, 3), 'relu')));
  });
  const state = someState(model);
  const images = someImages([2, 3, 32, 32]);
  const { bytes } = await exported(model, state, PLAIN);
  const expected = evaluateModel(model, state, images).data;
  expect(difference(await runOnnx(bytes, images), expected)).toBeLessThan(1e-4);
});

test.each(BLOCK_ORDERS)(
  'blocks of pixels and channels, counted %s, are written and read as what they are',
  async (order) => {
    const model = buildModel({ name: 'blocks', classes: 10 }, (net, x) => {
      const cut = net.activation(
        net.conv('cut', net.depthToSpace(x, { kind: 'space_to_depth', block: 4, order }), 12, 3),
        'relu',
      );
      const laid = net.activation(
        net.conv('laid', net.depthToSpace(cut, { kind: 'depth_to_space', block: 2, order }), 6, 3),
        'relu',
      );
      return net.head('fc', net.globalAvgPool(laid));
    });
    const state = someState(model);
    const images = someImages([2, 3, 32, 32]);
    const { bytes, ...again } = await exported(model, state, PLAIN);
    const expected = evaluateModel(model, state, images).data;
    expect(difference(await runOnnx(bytes, images), expected)).toBeLessThan(1e-5);
    expect(signature(again.model)).toEqual(signature(model));
  },
);

test('windows padded on one side are written and read as what they are', async () => {
  const model = buildModel({ name: 'same', classes: 10 }, (net, x) => {
    const sides = { padding: 0, paddingEnd: [1, 1] } satisfies ConvOptions;
    const stem = net.conv('stem', x, 8, 3, { ...sides, stride: 2 });
    const depthwise = net.conv('depthwise', stem, 8, 5, { groups: 8, padding: [1, 2], paddingEnd: [2, 1] });
    const window = {
      kernel: [3, 3],
      stride: [2, 2],
      padding: [0, 0],
      paddingEnd: [1, 1],
      ceilMode: false,
    } satisfies Window;
    const pooled = net.pool(depthwise, { kind: 'max_pool', ...window });
    return net.head(
      'fc',
      net.globalAvgPool(net.pool(pooled, { kind: 'avg_pool', ...window, countIncludePad: true })),
    );
  });
  const state = someState(model);
  const images = someImages([2, 3, 32, 32]);
  const { bytes, ...again } = await exported(model, state, PLAIN);
  const expected = evaluateModel(model, state, images).data;
  expect(difference(await runOnnx(bytes, images), expected)).toBeLessThan(1e-5);
  expect(signature(again.model)).toEqual(signature(model));
});

test.each([
  ['mobilenet_v2', 0.25],
  ['densenet', undefined],
] as const)(
  'norms of %s folded, pixels normalised in front and softmax behind: the same answers',
  async (arch, width) => {
    const kwargs =
      arch === 'densenet' ? { growth_rate: 8, block_config: [2, 3], num_init_features: 16 } : undefined;
    const model = createModel(arch, { classes: 10, kwargs, width });
    const state = someState(model);
    const images = someImages([2, 3, 32, 32]);
    const { mean, std } = model.input;
    const channel = (i: number) => Math.floor(i / 1024) % 3;
    const bytes = images.data.map((x, i) => 255 * (x * std[channel(i)] + mean[channel(i)]));
    const logits = evaluateModel(model, state, images).data;
    const file = await exported(model, state, { size: 32, preprocessing: true, softmax: true, fold: true });
    const probabilities = await runOnnx(file.bytes, { shape: images.shape, data: bytes });
    const powers = logits.map((x, i) =>
      Math.exp(x - Math.max(...logits.slice(i - (i % 10), i - (i % 10) + 10))),
    );
    const sum = (i: number) => powers.slice(i - (i % 10), i - (i % 10) + 10).reduce((a, b) => a + b);
    expect(
      difference(
        probabilities,
        powers.map((p, i) => p / sum(i)),
      ),
    ).toBeLessThan(1e-3);
    // what normalises the pixels is the input's mean and deviation again, and the softmax is left off
    file.model.input.mean.forEach((m, i) => {
      expect(m).toBeCloseTo(mean[i], 5);
    });
    file.model.input.std.forEach((s, i) => {
      expect(s).toBeCloseTo(std[i], 5);
    });
    expect(difference(evaluateModel(file.model, file.state, images).data, logits)).toBeLessThan(1e-4);
    const norms = file.model.layers.filter(({ kind }) => kind === 'batch_norm').length;
    expect(norms).toBeLessThan(model.layers.filter(({ kind }) => kind === 'batch_norm').length);
  },
);
