import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { Graph } from '../../../src/graph/graph';
import { product } from '../../../src/graph/tensor';
import { buildModel } from '../../../src/model/builder';
import { classesOf, withHead } from '../../../src/model/heads';
import { initialState } from '../../../src/model/init';
import { instantiate } from '../../../src/model/instantiate';
import { channelsOf, type Model } from '../../../src/model/model';
import { withRefConv } from '../../../src/model/refconv';
import { architectureNames, createModel } from '../../../src/model/zoo';

/** The last layers of the publishers' classifiers. */
const HEADS: [RegExp, string][] = [
  [/_cifar$|^(repvgg|mobileone)/, 'linear'],
  [/resnet|resnext|^(shufflenet|regnet)/, 'fc'],
  [/^(hornet|replknet|slak)/, 'head'],
  [/^vgg/, 'classifier.6'],
  [/^convnextv2/, 'head.fc'],
  [/^(efficientnet_lite|ghostnet|fasternet|ds_cnn)/, 'classifier'],
  [/^(mobilenet_v2|efficientnet|mnasnet|squeezenet)/, 'classifier.1'],
  [/^mobilenet_v3/, 'classifier.3'],
  [/^(densenet|mobilenet_v1)/, 'classifier'],
  [/^convnext/, 'classifier.2'],
];

/** Images that the publishers' weights were made for, where they are not of 224 pixels, and classes other than ImageNet's. */
const SIZES: Record<string, number> = {
  efficientnet_b1: 240,
  efficientnet_b2: 288,
  efficientnet_b3: 300,
  efficientnet_b4: 380,
  efficientnet_v2_s: 384,
  resnet8_mlperf: 32,
  ds_cnn: 49,
};
const CLASSES: Record<string, number> = { resnet8_mlperf: 10, ds_cnn: 12 };

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

const models = architectureNames().map((name) => [name, frozen(createModel(name))] as const);

function shapeOf(model: Model, batch: number, size: number) {
  const graph = new Graph();
  const x = graph.tensor('x', [batch, size, size, model.input.channels], { role: 'input' });
  const { logits, features } = instantiate(model, graph, x, { training: true });
  return [logits.shape, features.shape[3]];
}

describe.each(models)('%s', (name, model) => {
  test('is plain data', () => {
    expect(structuredClone(model)).toEqual(model);
    expect(JSON.parse(JSON.stringify(model))).toEqual(model);
  });

  test('is made again of its name, classes and arguments', () => {
    expect(createModel(model.name, { classes: model.head.classes, kwargs: model.args })).toEqual(model);
  });

  test('has layers that read what earlier ones wrote, and tensors of different names', () => {
    const written = new Set([0]);
    for (const { id, inputs } of model.layers) {
      expect(inputs.filter((input) => !written.has(input))).toEqual([]);
      expect(written.has(id)).toBe(false);
      written.add(id);
    }
    expect(new Set(model.state.map((entry) => entry.name)).size).toBe(model.state.length);
  });

  test('has its head apart', () => {
    const { head } = model;
    expect(head.name).toBe(HEADS.find(([pattern]) => pattern.test(name))![1]);
    expect(head.kind).toBe(name.startsWith('squeezenet') ? 'conv' : 'linear');
    expect(head.classes).toBe(CLASSES[name] ?? (name.endsWith('_cifar') ? 10 : 1000));
    expect(model.input.size).toBe(SIZES[name] ?? (name.endsWith('_cifar') ? 32 : 224));
    const layer = model.layers.find((l) => 'name' in l && l.name === head.name)!;
    expect(layer).toMatchObject({ kind: head.kind, inputs: [model.features] });
    const channels = channelsOf(model);
    expect([channels.get(model.features), channels.get(model.logits)]).toEqual([head.features, head.classes]);
  });

  test('with another head is the model made with so many classes', () => {
    const three = withHead(model, 3);
    expect(three).toEqual(createModel(name, { classes: 3 }));
    expect(withHead(three, model.head.classes)).toEqual(model);
  });

  test('has no image size and no batch', () => {
    const { classes, features } = model.head;
    for (const [batch, size] of [
      [2, 64],
      [3, 96],
    ])
      expect(shapeOf(model, batch, size)).toEqual([[batch, 1, 1, classes], features]);
  });
});

describe('a new head', () => {
  const model = createModel('mobilenet_v2', { width: 0.25, classes: 5 });

  test('starts as torch.nn.Linear does, all else as before', () => {
    const before = initialState(model, 4);
    const after = initialState(withHead(model, 3), 4);
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [key, tensor] of before) {
      if (!key.startsWith('classifier.1')) expect(after.get(key)).toEqual(tensor);
    }
    const weight = after.get('classifier.1.weight')!;
    expect([weight.shape, after.get('classifier.1.bias')!.shape]).toEqual([[3, 1280], [3]]);
    const largest = Math.max(...[...(weight.data as Float32Array)].map(Math.abs));
    expect(largest).toBeLessThanOrEqual(1280 ** -0.5);
    expect(largest).toBeGreaterThan(0.99 * 1280 ** -0.5);
    expect(classesOf(model, after)).toBe(3);
  });

  test('that is a convolution starts as SqueezeNet’s: normal with a deviation of 0.01', () => {
    const state = initialState(createModel('squeezenet1_1', { classes: 3 }), 4);
    const { data, shape } = state.get('classifier.1.weight')!;
    expect(shape).toEqual([3, 512, 1, 1]);
    const deviation = Math.hypot(...(data as Float32Array)) / Math.sqrt(product(shape));
    expect(deviation / 0.01).toBeCloseTo(1, 1);
    expect([...(state.get('classifier.1.bias')!.data as Float32Array)]).toEqual([0, 0, 0]);
  });

  test('of a detector starts at RetinaNet’s chance of an object for each class, and at boxes of their cells', () => {
    const detector = createModel('dw_detector', { classes: 5 });
    for (const one of [detector, withHead(detector, 3)]) {
      const bias = [...(initialState(one, 4).get('predictor.bias')!.data as Float32Array)];
      expect(bias).toHaveLength(one.head.classes + 4);
      const chances = bias.slice(0, one.head.classes).map((x) => 1 / (1 + Math.exp(-x)));
      for (const chance of chances) expect(chance).toBeCloseTo(0.01, 7);
      expect(bias.slice(one.head.classes)).toEqual([0, 0, 0, 0]);
    }
  });

  test('does not change the model that it comes from', () => {
    const copy = structuredClone(model);
    withHead(model, 3);
    expect(model).toEqual(copy);
  });
});

test('RefConv makes another model of a model, which stays as it is', () => {
  const model = frozen(createModel('mobilenet_v2', { width: 0.25, classes: 5 }));
  const options = { mapKernel: 3, identity: true, trainBasis: false, startsNonZero: false } as const;
  const dense = withRefConv(model, { ...options, layers: 'depthwise', path: 'dense' });
  const maps = dense.state.filter((entry) => entry.init === 'map');
  expect(maps).toHaveLength(17);
  expect(dense.state.filter((entry) => entry.role === 'constant')).toHaveLength(17);
  for (const { name } of maps) {
    const at = dense.state.findIndex((entry) => entry.name === name);
    expect(dense.state[at - 1].name).toBe(name.replace('.convmap', ''));
  }
  expect(structuredClone(dense)).toEqual(dense);
});

test('a stem without stride is for images as small as CIFAR’s', () => {
  expect(createModel('mobilenet_v2', { stemStride: 1 }).input.size).toBe(32);
});

test('a model says which arguments made it, the defaults too', () => {
  expect(createModel('shufflenet_v2_x0_5').args).toEqual({ stem_stride: 2, in_chans: 3 });
  expect(createModel('mobilenet_v3_small', { width: 0.5 }).args).toEqual({
    width_mult: 0.5,
    dropout: 0.2,
    stem_stride: 2,
    in_chans: 3,
    reduced_tail: false,
    dilated: false,
    width_scaling: 'torchvision',
  });
});

test('images of other channels than the model’s are refused', () => {
  const graph = new Graph();
  const x = graph.tensor('x', [1, 32, 32, 1], { role: 'input' });
  const instance = () => instantiate(createModel('resnet20_cifar'), graph, x, { training: false });
  expect(instance).toThrow(UserError);
  expect(instance).toThrow('resnet20_cifar takes images of 3 channels, not 1.');
});

test('a model has one head', () => {
  expect(() => buildModel({ name: 'none', classes: 2 }, (_, x) => x)).toThrow(/none has no head/);
  expect(() => buildModel({ name: 'two', classes: 2 }, (net, x) => net.head('b', net.head('a', x)))).toThrow(
    /b would be a second head beside a/,
  );
});
