import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { writeSafetensors } from '../../../src/io/safetensors';
import { floats, type StateDict } from '../../../src/io/tensor';
import { headEntries } from '../../../src/model/heads';
import { initialState } from '../../../src/model/init';
import { createModel } from '../../../src/model/zoo';
import { fitHead } from '../../../src/run/head';
import { type LoadedNetwork, originalState } from '../../../src/run/loaded-network';
import { METADATA_KEY, readMetadata, withMetadata } from '../../../src/run/metadata';
import { loadNetwork } from '../../../src/run/network-source';

const CLASSES = ['ant', 'bee', 'cat'];
const model = createModel('resnet20_cifar', { classes: 3 });

/** A network of three classes whose classifier's numbers say their row: 0, 1, 2. */
function state(): StateDict {
  const tensors = initialState(model, 1);
  const weight = Array.from({ length: 3 * 64 }, (_, i) => Math.floor(i / 64));
  return tensors.set('linear.weight', floats([3, 64], weight)).set('linear.bias', floats([3], [0, 1, 2]));
}

const load = (more: { classes?: string[]; metadata?: Map<string, string>; state?: StateDict } = {}) => {
  const bytes = writeSafetensors(more.state ?? state(), more.metadata ?? new Map());
  const files = [{ path: 'net.safetensors', blob: new Blob([bytes]) }];
  return loadNetwork({ kind: 'file', files, classes: more.classes });
};

const fit = (network: LoadedNetwork, classes: string[], head: 'auto' | 'keep' | 'new' = 'auto') =>
  fitHead(network, classes, { head, seed: 4, method: 'finetune' });

const rows = ({ state }: LoadedNetwork) => [...(state.get('linear.bias')!.data as Float32Array)];

describe('a classifier of known classes is fitted by name', () => {
  test('the same classes: as it is', async () => {
    const network = await load({ classes: CLASSES });
    const fitted = fit(network, CLASSES);
    expect(fitted).toMatchObject({ newHead: false, model: network.model, notes: network.notes });
    expect(rows(fitted)).toEqual([0, 1, 2]);
  });

  test.each<[string, string[], number[], RegExp]>([
    ['another order', ['cat', 'ant', 'bee'], [2, 0, 1], /are put into the images' order/],
    [
      'a part of them',
      ['cat', 'ant'],
      [2, 0],
      /images have 2 classes \(cat, ant\): the classifier keeps their rows/,
    ],
  ])('%s: their rows', async (_, classes, expected, note) => {
    const fitted = fit(await load({ classes: CLASSES }), classes);
    expect(fitted.newHead).toBe(false);
    expect(fitted.notes.at(-1)).toMatch(note);
    expect(rows(fitted)).toEqual(expected);
    expect([...(fitted.state.get('linear.weight')!.data as Float32Array)]).toEqual(
      expected.flatMap((row) => new Array(64).fill(row)),
    );
    expect(fitted.model).toEqual(createModel('resnet20_cifar', { classes: classes.length }));
    expect(fitted.original.weights.tensors.get('linear.weight')!.shape).toEqual([classes.length, 64]);
  });

  test('a class that it does not know: a new classifier, unless it is to be kept', async () => {
    const network = await load({ classes: CLASSES });
    expect(fit(network, ['ant', 'bee', 'dog']).newHead).toBe(true);
    expect(rows(fit(network, ['ant', 'bee', 'dog'], 'keep'))).toEqual([0, 1, 2]);
    expect(() => fit(network, ['dog', 'owl'], 'keep')).toThrow(
      /^net\.safetensors tells 3 classes \(ant, bee, cat\) apart, the images have 2 classes \(dog, owl\): let it/,
    );
  });
});

test('without names, as many classes are the network’s own', async () => {
  const fitted = fit(await load(), ['x', 'y', 'z']);
  expect([fitted.newHead, rows(fitted)]).toEqual([false, [0, 1, 2]]);
  expect(fitted.notes.at(-1)).toMatch(/taken in the order of the images' 3 classes \(x, y, z\); .*--labels/);
  expect(fit(await load(), ['x', 'y', 'z'], 'new').newHead).toBe(true);
});

test.each([2, 5])('a new classifier for %d classes starts from the seed, all else is kept', async (count) => {
  const network = await load();
  const classes = ['a', 'b', 'c', 'd', 'e'].slice(0, count);
  const fitted = fit(network, classes);
  const expected = createModel('resnet20_cifar', { classes: count });
  expect(fitted.model).toEqual(expected);
  expect(fitted.notes.at(-1)).toMatch(/tells 3 classes apart, .*: its classifier linear starts anew/);
  const fresh = initialState(expected, 4);
  const head = headEntries(model);
  for (const [name, tensor] of fitted.state) {
    expect(tensor.data).toEqual((head.has(name) ? fresh : network.state).get(name)!.data);
  }
  // it leaves under the file's names, in the new shape
  const written = originalState(fitted.state, fitted.original);
  expect(written.get('linear.weight')!.shape).toEqual([count, 64]);
  expect(network.state.get('linear.bias')!.shape).toEqual([3]);
});

test('retraining keeps nothing, and is not said to', async () => {
  const settings = { head: 'auto' as const, seed: 4, method: 'retrain' as const };
  const { notes } = fitHead(await load(), ['x', 'y'], settings);
  expect(notes.at(-1)).toMatch(
    /its classifier linear starts anew, and all else too, by the method retrain\.$/,
  );
});

test('a file without a classifier gets one', async () => {
  const headless = state();
  headless.delete('linear.weight');
  headless.delete('linear.bias');
  for (const [name, tensor] of headless) headless.set(name, { ...tensor, dtype: 'F16' });
  const network = await load({ state: headless });
  const fitted = fit(network, ['x', 'y']);
  expect(fitted.newHead).toBe(true);
  expect(fitted.original.weights.tensors.get('linear.weight')!.dtype).toBe('F16');
  expect(originalState(fitted.state, fitted.original).get('linear.weight')!.shape).toEqual([2, 64]);
  expect(() => fit(network, ['x', 'y'], 'keep')).toThrow(UserError);
});

/** ConvNeXt of two stages under facebookresearch's names, without its classifier. */
function headlessConvNext(before: string): StateDict {
  const blocks = [
    [8, 16, 1],
    [16, null, 1],
  ];
  const places = ['downsample_layers.0', 'stages.0', 'downsample_layers.1', 'stages.1'];
  const modules = { 'block.0': 'dwconv', 'block.2': 'norm', 'block.3': 'pwconv1', 'block.5': 'pwconv2' };
  const headless: StateDict = new Map();
  for (const [name, tensor] of initialState(createModel('convnext', { kwargs: { blocks } }), 1)) {
    if (name.startsWith('classifier.2')) continue;
    let key = name.replace(/^features\.(\d)/, (_, n) => places[n]).replace('classifier.0', 'norm');
    for (const [from, to] of Object.entries(modules)) key = key.replace(from, to);
    headless.set(before + key.replace('layer_scale', 'gamma'), tensor);
  }
  return headless;
}

test.each(['', 'module.'])('a new classifier has its publisher’s name, behind "%s"', async (before) => {
  const network = await load({ state: headlessConvNext(before) });
  expect(network.notes[0]).toMatch(/of facebookresearch, without a classifier/);
  const { original, state } = fit(network, ['x', 'y']);
  const written = originalState(state, original);
  expect(written.get(`${before}head.weight`)!.shape).toEqual([2, 16]);
  expect([...written.keys()].filter((key) => !key.startsWith(before))).toEqual([]);
  expect([...written.keys()].slice(-2)).toEqual([`${before}head.weight`, `${before}head.bias`]);
});

test('images are resized as the publisher does, unless the network is for small ones or says it itself', async () => {
  const resizing = async (tensors: StateDict, metadata?: Map<string, string>) => {
    const { interpolation, cropPct } = await load({ state: tensors, metadata });
    return [interpolation, cropPct];
  };
  const random = (arch: string, options = {}) => initialState(createModel(arch, options), 1);
  expect(await resizing(headlessConvNext(''))).toEqual(['bicubic', 0.875]);
  expect(await resizing(random('mobilenet_v2', { width: 0.1 }))).toEqual(['bilinear', 0.875]);
  expect(await resizing(random('efficientnet_b0'))).toEqual(['bicubic', 0.875]);
  expect(await resizing(random('efficientnet_b1'))).toEqual(['bicubic', 240 / 256]);
  expect(await resizing(random('convnext', { kwargs: { blocks: [[8, null, 1]] } }))).toEqual([
    'bilinear',
    224 / 236,
  ]);
  expect(await resizing(state())).toEqual([undefined, undefined]);
  const preprocessing = {
    size: 32,
    interpolation: 'bilinear' as const,
    cropPct: 0.5,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  };
  const description = { version: 1 as const, architecture: 'efficientnet_b0', args: {}, preprocessing };
  expect(await resizing(random('efficientnet_b0'), withMetadata(new Map(), description))).toEqual([
    'bilinear',
    0.5,
  ]);
});

describe('what a file says of itself', () => {
  const description = {
    version: 1 as const,
    architecture: 'mobilenet_v2',
    args: { width_mult: 0.25, stem_stride: 1, inverted_residual_setting: [[1, 8, 1, 2]] },
    classes: CLASSES,
    preprocessing: { size: 48, mean: [0.1, 0.2, 0.3], std: [1, 2, 3] },
  };
  const own = createModel('mobilenet_v2', { kwargs: description.args, classes: 3 });

  test('is enough to load it', async () => {
    const metadata = withMetadata(new Map([['format', 'pt']]), description);
    const network = await load({ state: initialState(own, 1), metadata });
    expect(network.model).toEqual({ ...own, input: { ...own.input, ...description.preprocessing } });
    expect(network).toMatchObject({ classes: CLASSES, trainedSize: 48 });
    expect(network.notes[0]).toMatch(/^net\.safetensors is MobileNetV2 x0\.25 .*3 classes\.$/);
  });

  test.each([
    ['is not what it is', JSON.stringify({ ...description, args: { width_mult: 1 } })],
    ['cannot be read', '{"version":1'],
    ['is of another kind', '{"version":2,"architecture":"x","args":{}}'],
    ['names nothing known', JSON.stringify({ ...description, architecture: '__proto__' })],
  ])('%s: the tensors count', async (_, text) => {
    const network = await load({ metadata: new Map([[METADATA_KEY, text]]) });
    expect(network.model.name).toBe('resnet20_cifar');
  });

  test('round trip', () => {
    expect(readMetadata(withMetadata(new Map(), description))).toEqual(description);
    expect(readMetadata(new Map())).toBeUndefined();
  });
});
