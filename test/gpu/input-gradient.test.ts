import { expect, test } from 'vitest';
import { readSafetensors } from '../../src/io/safetensors';
import type { StateDict } from '../../src/io/tensor';
import { buildModel } from '../../src/model/builder';
import { initialState } from '../../src/model/init';
import { numbersOf } from '../../src/model/state';
import { createModel } from '../../src/model/zoo';
import { InputGradient, inputGradientPlan } from '../../src/train/input-gradient';
import url from '../fixtures/input-gradients.safetensors?url';
import { loadGolden } from '../goldens';
import { crossEntropyRows } from '../reference/cross-entropy';
import { evaluateModel } from '../reference/model';
import { numericGradient, type Values } from '../reference/values';
import { preActivation, step } from '../step-case';
import { expectClose, gpu, numbers, source, TUNINGS } from './harness';

const loadGradients = async () =>
  readSafetensors(new Uint8Array(await (await fetch(url)).arrayBuffer()), 'input-gradients').tensors;

test.each([
  'densenet.finetune',
  'convnext.finetune',
  'mobilenet_v3_small.finetune',
  'resnet.finetune',
  'ds_cnn.finetune',
])("the images' gradient of %s is PyTorch's", async (name) => {
  const { tensors, metadata } = readSafetensors(await loadGolden(`models/${name}`), name);
  const { arch, classes, kwargs, image_size: side } = JSON.parse(metadata.get('attrs')!);
  const state: StateDict = new Map(
    [...tensors].flatMap(([key, t]) => (key.startsWith('state.') ? [[key.slice('state.'.length), t]] : [])),
  );
  const size = { batch: 3, height: side, width: side };
  const pass = await InputGradient.create(await gpu(), createModel(arch, { classes, kwargs }), state, size);
  const { gradient, logits } = await pass.of(
    numbersOf(tensors.get('in.x')!),
    numbersOf(tensors.get('in.target')!),
  );
  pass.destroy();
  expectClose(gradient, numbersOf((await loadGradients()).get(name)!), 1e-3, 'gradient');
  expectClose(logits, numbersOf(tensors.get('out.logits_eval')!), 1e-3, 'logits');
});

/** Batch norm before any convolution, and images that are read twice. */
const unusual = buildModel({ name: 'unusual', classes: 4 }, (net, x) => {
  const y = net.batchNorm('bn', x, 'none');
  const z = net.add(net.conv('a', y, 3, 3, { bias: true }), x);
  return net.head('fc', net.globalAvgPool(net.activation(z, 'silu')));
});

test.each(
  [step, preActivation, unusual].flatMap((model) =>
    TUNINGS.map((way) => [model.name, way[0], model, way[1]] as const),
  ),
)("the images' gradient of %s on %s is that of finite differences", async (_, __, model, tuning) => {
  const random = source(11);
  const shape = [3, 3, 7, 6];
  const images = numbers(shape, random);
  const labels = [0, 3, 1];
  const state = initialState(model, 5);
  // a new network's running statistics would leave its images as they are
  for (const [name, { data }] of state)
    if (/running_(mean|var)$/.test(name))
      (data as Float32Array).forEach((v, i, all) => {
        all[i] = v + 0.1 * ((i % 5) + 1);
      });
  const device = { ...(await gpu()), tuning };
  // two batches, and one that is not full
  const pass = await InputGradient.create(device, model, state, { batch: 2, height: 7, width: 6 });
  const { gradient } = await pass.of(images.data, labels);
  pass.destroy();
  const x: Values = { shape, data: Float64Array.from(images.data) };
  const losses = (inputs: { x: Values }) => {
    const rows = crossEntropyRows(evaluateModel(model, state, inputs.x), labels, 0);
    return { y: { shape: [3], data: Float64Array.from(rows) } };
  };
  const upstream = { y: { shape: [3], data: new Float64Array(3).fill(1) } };
  const expected = numericGradient(losses as never, { x }, upstream, 'x');
  expectClose(gradient, expected.data, 2e-4, 'gradient');
});

test('its plan updates nothing and makes no gradient of a parameter', () => {
  const { dispatches, tensors } = inputGradientPlan(step, { batch: 2, height: 9, width: 9 });
  expect(dispatches.filter((d) => /optim|backward_weight|backward_sums/.test(d.shader))).toEqual([]);
  expect(Object.keys(tensors).filter((key) => key.startsWith('gradient:'))).toEqual([]);
});

test('labels and images that do not fit are refused', async () => {
  const size = { batch: 2, height: 9, width: 9 };
  const pass = await InputGradient.create(await gpu(), step, initialState(step, 1), size);
  await expect(pass.of(new Float32Array(3 * 81), [5])).rejects.toThrow('The label 5 is none of 5 classes.');
  await expect(pass.of(new Float32Array(3 * 80), [1])).rejects.toThrow('are not 1 images of 3 x 9 x 9');
  pass.destroy();
});
