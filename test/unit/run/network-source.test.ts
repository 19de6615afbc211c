import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { writeSafetensors } from '../../../src/io/safetensors';
import { floats, type StateDict } from '../../../src/io/tensor';
import { openWeights } from '../../../src/io/weights-file';
import { writeWeights } from '../../../src/io/write-weights';
import { buildModel } from '../../../src/model/builder';
import { initialState } from '../../../src/model/init';
import { createModel } from '../../../src/model/zoo';
import { originalState } from '../../../src/run/loaded-network';
import type { NamedNetwork, NetworkOptions } from '../../../src/run/network-options';
import { loadNetwork } from '../../../src/run/network-source';

const arch = { arch: 'resnet20_cifar', classes: 10 };

const read = (options: NetworkOptions, state: StateDict) => {
  const blob = new Blob([writeSafetensors(state)]);
  const file = { path: 'net.safetensors', blob };
  return loadNetwork({ kind: 'file', network: options, files: [file] });
};

/** Loads ResNet-20 from a file with other tensors than it has. */
async function load(change: (state: StateDict) => void) {
  const state = initialState(createModel(arch.arch, arch), 1);
  change(state);
  return read(arch, state);
}

test('a network loads with its numbers', async () => {
  const { file, model, state } = await load((s) => s.set('linear.bias', floats([10], new Array(10).fill(7))));
  expect(file).toBe('net.safetensors');
  expect(model).toEqual(createModel(arch.arch, arch));
  expect([...state.get('linear.bias')!.data]).toEqual(new Array(10).fill(7));
});

test.each<NamedNetwork>([
  { arch: 'resnet20_cifar' },
  // its head is a convolution: no tensor of the file is a matrix
  { arch: 'squeezenet1_1' },
  // the last matrix by name belongs to a block
  { arch: 'convnext', kwargs: { blocks: [[8, null, 1]] } },
  // their heads have channels beside those of the classes
  { arch: 'dw_unet' },
  { arch: 'dw_detector', kwargs: { width: 8 } },
])('a file tells its classes by the head of $arch, whatever order its names have', async (options) => {
  const { arch: name, ...rest } = options;
  const state = initialState(createModel(name, { ...rest, classes: 7 }), 1);
  const sorted = new Map([...state].sort(([a], [b]) => (a < b ? -1 : 1)));
  const reversed = new Map([...sorted].reverse());
  for (const order of [state, sorted, reversed])
    expect((await read(options, order)).model).toEqual(createModel(name, { ...rest, classes: 7 }));
});

test('a file without the head: a fresh one, and a note', async () => {
  const state = initialState(createModel(arch.arch, arch), 1);
  state.delete('linear.weight');
  state.delete('linear.bias');
  const { headless, notes, state: loaded } = await read({}, state);
  expect(headless).toBe(true);
  expect(loaded.get('linear.weight')!.shape).toEqual([10, 64]);
  expect(notes[0]).toBe('net.safetensors is ResNet-20 for CIFAR of akamaster, without a classifier.');
});

test('the built-in network comes with the engine', async () => {
  const { file, model, state } = await loadNetwork({ kind: 'builtin' });
  expect(file).toBe('builtin-mobilenet_v2.safetensors');
  expect(model.head.classes).toBe(10);
  expect(state.size).toBe(model.state.length);
});

test('the built-in network is what its file is recognised as', async () => {
  const builtin = await loadNetwork({ kind: 'builtin' });
  const blob = new Blob([await readFile('weights/builtin-mobilenet_v2.safetensors')]);
  const path = builtin.file;
  const { original, ...recognised } = await loadNetwork({ kind: 'file', files: [{ path, blob }] });
  const { names, prefix, publisher, head, weights } = original;
  expect(builtin).toMatchObject({ model: recognised.model, classes: recognised.classes });
  expect(builtin.trainedSize).toBe(recognised.trainedSize);
  expect(builtin.state).toEqual(recognised.state);
  expect(builtin.original).toMatchObject({ prefix, publisher, head });
  expect(new Map([...builtin.original.names].sort())).toEqual(new Map([...names].sort()));
  expect(builtin.original.weights.tensors).toEqual(weights.tensors);
});

test('random weights have no classifier that knows anything', async () => {
  const { model, state, headless } = await loadNetwork({ kind: 'random', network: arch, seed: 3 });
  expect(state).toEqual(initialState(model, 3));
  expect(headless).toBe(true);
});

describe("a model of one's own", () => {
  const model = buildModel({ name: 'tiny', classes: 3 }, (net, x) =>
    net.head('fc', net.globalAvgPool(net.conv('conv', x, 8, 3))),
  );
  const file = (state: StateDict) => ({
    path: 'tiny.safetensors',
    blob: new Blob([writeSafetensors(state)]),
  });

  test('starts from random numbers, the same for the same seed', async () => {
    const first = await loadNetwork({ kind: 'model', model, seed: 2 });
    expect(first.state).toEqual(initialState(model, 2));
    expect(first.state).not.toEqual((await loadNetwork({ kind: 'model', model })).state);
    expect(first.headless, 'its classifier knows nothing yet').toBe(true);
  });

  test('starts from weights under its names, with a prefix or without, and knows what they were called', async () => {
    const state = initialState(model, 5);
    const wrapped = new Map([...state].map(([name, tensor]) => [`module.${name}`, tensor]));
    const loaded = await loadNetwork({ kind: 'model', model, files: [file(wrapped)] });
    expect(loaded.state).toEqual(state);
    expect(loaded.headless).toBe(false);
    expect([...loaded.original.names][0]).toEqual(['module.conv.weight', 'conv.weight']);
  });

  test('refuses weights of another network', async () => {
    const state = initialState(model, 5).set('fc.weight', floats([4, 8], new Float32Array(32)));
    await expect(loadNetwork({ kind: 'model', model, files: [file(state)] })).rejects.toThrow(
      /^tiny\.safetensors: tensor fc\.weight is 4 x 8, but 3 x 8 in the network/,
    );
  });
});

test.each<[string, (state: StateDict) => void, RegExp]>([
  [
    'another shape',
    (s) => s.set('conv1.weight', floats([8, 3, 3, 3], new Float32Array(216))),
    /^net\.safetensors is no ResNet-20 for CIFAR: other shapes: conv1\.weight \(8 x 3 x 3 x 3, there 16 x 3 x 3 x 3\)/,
  ],
  [
    'a tensor less',
    (s) => s.delete('conv1.weight'),
    /^net\.safetensors is no ResNet-20 for CIFAR: not in the file: conv1\.weight/,
  ],
])(
  '%s than the architecture has: the file and the tensor are named before any image is read',
  async (_, change, message) => {
    const error = await load(change).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(message);
  },
);

test('what the network does not need is left out and listed', async () => {
  const { state, original, notes } = await load((s) => {
    s.set('__proto__', floats([1], [1]));
    s.set('criterion.weight', floats([10], new Array(10).fill(1)));
  });
  expect(new Set(state.keys())).toEqual(new Set(initialState(createModel(arch.arch, arch), 1).keys()));
  expect(original.weights.tensors.has('criterion.weight')).toBe(false);
  expect(notes).toEqual(['The network has no use for __proto__, criterion.weight: left out.']);
});

test('what the file normalises by is taken, kept in it, and said', async () => {
  const state = initialState(createModel(arch.arch, arch), 1);
  state.set('normalize.mean', floats([1, 3, 1, 1], [0.5, 0.25, 0.125]));
  state.set('normalize.std', floats([3], [0.5, 0.5, 0.25]));
  const { model, notes, original } = await read({}, state);
  expect(model.input).toMatchObject({ mean: [0.5, 0.25, 0.125], std: [0.5, 0.5, 0.25] });
  expect(notes.join(' ')).toContain('own tensors say: mean 0.5, 0.25, 0.125, std 0.5, 0.5, 0.25.');
  expect(notes.join(' ')).not.toContain('no use for');
  expect(original.weights.tensors.has('normalize.mean')).toBe(true);
  // integers say nothing
  state.set('normalize.std', { dtype: 'I64', shape: [3], data: BigInt64Array.of(1n, 1n, 1n) });
  expect((await read({}, state)).model.input.std).toEqual(createModel(arch.arch, arch).input.std);
  // for pixels up to 255
  state.set('normalize.mean', floats([3], [127.5, 127.5, 51]));
  state.set('normalize.std', floats([3], [51, 51, 51]));
  expect((await read({}, state)).model.input).toMatchObject({ mean: [0.5, 0.5, 0.2], std: [0.2, 0.2, 0.2] });
});

test('a layer that is left out is told of as what may change the answers', async () => {
  const { notes } = await load((s) => s.set('neck.weight', floats([8, 64], new Array(512).fill(0))));
  expect(notes.at(-1)).toMatch(/no use for neck\.weight: left out\. If what it answers goes through/);
  const counted = await load((s) => s.set('best_acc', floats([], [0.5])));
  expect(counted.notes.at(-1)).toMatch(/no use for best_acc: left out\.$/);
});

test('a neck’s convolution is no classifier', async () => {
  const state = initialState(createModel(arch.arch, arch), 1);
  state.delete('linear.weight');
  state.delete('linear.bias');
  state.set('fpn.inner.weight', floats([16, 64, 1, 1], new Array(1024).fill(0)));
  state.set('fpn.inner.bias', floats([16], new Array(16).fill(0)));
  state.set('fpn.layer.weight', floats([16, 16, 3, 3], new Array(2304).fill(0)));
  expect((await read({}, state)).headless).toBe(true);
});

test('numbers of a quantised network are refused', async () => {
  const quantised = load((s) => {
    const { shape, data } = s.get('linear.weight')!;
    s.set('linear.weight', { dtype: 'I8', shape, data: Int8Array.from(data as Float32Array) });
  });
  await expect(quantised).rejects.toThrow(/^net\.safetensors: tensor linear\.weight holds integers/);
});

test('an architecture or a width that the file is not: what it is', async () => {
  const state = initialState(createModel('mobilenet_v2', { width: 0.35, classes: 3 }), 1);
  const right = /^net\.safetensors is not .* but MobileNetV2 x0\.35 of torchvision, 3 classes: leave/;
  await expect(read({ arch: 'mobilenet_v2', width: 0.5 }, state)).rejects.toThrow(right);
  await expect(read({ width: 0.5 }, state)).rejects.toThrow(right);
  await expect(read({ arch: 'resnet18' }, state)).rejects.toThrow(right);
  await expect(read({ arch: 'resnet18', width: 0.5 }, state)).rejects.toThrow(
    /resnet18 has no argument width_mult/,
  );
});

test('a file under other names leaves under them, in its order and shapes', async () => {
  const model = createModel('resnet20_cifar', {});
  const plain = initialState(model, 1);
  const state = new Map(
    [...plain].reverse().map(([name, tensor]) => {
      const isHead = name === 'linear.weight';
      return [
        isHead ? 'head.fc.weight' : name === 'linear.bias' ? 'head.fc.bias' : `backbone.module.${name}`,
        isHead ? { ...tensor, shape: [10, 64, 1, 1] } : tensor,
      ] as const;
    }),
  );
  const network = await read({}, state);
  expect(network.state).toEqual(new Map([...plain].reverse()));
  const written = originalState(
    new Map(
      [...plain].map(([k, t]) => [
        k,
        { ...t, data: (t.data as Float32Array<ArrayBuffer>).map((x) => x + 1) },
      ]),
    ),
    network.original,
  );
  const file = await openWeights({
    path: 'out',
    blob: new Blob([writeWeights(network.original.weights, written)]),
  });
  const again = await file.copies[0].read();
  expect(Object.fromEntries([...again].map(([k, { shape }]) => [k, shape]))).toEqual(
    Object.fromEntries([...state].map(([k, { shape }]) => [k, shape])),
  );
  expect(again.get('head.fc.bias')!.data).toEqual(
    (plain.get('linear.bias')!.data as Float32Array).map((x) => x + 1),
  );
});

test('timm’s names bring timm’s batch norms; what pads as TensorFlow does is refused', async () => {
  const model = createModel('efficientnet_b0', { classes: 3 });
  const numbers = [...initialState(model, 1).values()];
  const named = (names: string[]) => new Map(names.map((name, i) => [name, numbers[i]] as const));
  const modules = (text: string, leaves: string[]) =>
    text.split(' ').flatMap((m) => leaves.map((l) => `${m}.${l}`));
  const norm = ['weight', 'bias', 'running_mean', 'running_var'];
  const stages = [1, 2, 2, 3, 3, 4, 1];
  const timm = ['conv_stem.weight', ...modules('bn1', norm)];
  stages.forEach((count, s) => {
    for (let b = 0; b < count; b++) {
      const at = `blocks.${s}.${b}`;
      const [first, bn] = s === 0 ? ['conv_dw', 'bn1'] : ['conv_pw', 'bn1'];
      timm.push(`${at}.${first}.weight`, ...modules(`${at}.${bn}`, norm));
      if (s > 0) timm.push(`${at}.conv_dw.weight`, ...modules(`${at}.bn2`, norm));
      timm.push(...modules(`${at}.se.conv_reduce ${at}.se.conv_expand`, ['weight', 'bias']));
      const [last, lastNorm] = s === 0 ? ['conv_pw', 'bn2'] : ['conv_pwl', 'bn3'];
      timm.push(`${at}.${last}.weight`, ...modules(`${at}.${lastNorm}`, norm));
    }
  });
  timm.push('conv_head.weight', ...modules('bn2', norm), 'classifier.weight', 'classifier.bias');
  const loaded = await read({}, named(timm));
  expect(loaded.state.get('classifier.1.bias')).toEqual(numbers.at(-1));
  for (const layer of loaded.model.layers)
    if (layer.kind === 'batch_norm') expect(layer).toMatchObject({ eps: 1e-5, momentum: 0.1 });
  const lukemelas = timm.map((name) =>
    name
      .replace(/^conv_stem/, '_conv_stem')
      .replace(/^bn1/, '_bn0')
      .replace(/^conv_head/, '_conv_head')
      .replace(/^bn2/, '_bn1')
      .replace(/^classifier/, '_fc'),
  );
  let block = -1;
  let last = '';
  const file = lukemelas.map((name) => {
    const [, at, module, leaf] = /^(blocks\.\d+\.\d+)\.(.+)\.(\w+)$/.exec(name) ?? [];
    if (at === undefined) return name;
    if (at !== last) block++;
    last = at;
    const first = at.startsWith('blocks.0.');
    const names: Record<string, string> = {
      conv_pw: first ? '_project_conv' : '_expand_conv',
      bn1: first ? '_bn1' : '_bn0',
      conv_dw: '_depthwise_conv',
      bn2: first ? '_bn2' : '_bn1',
      'se.conv_reduce': '_se_reduce',
      'se.conv_expand': '_se_expand',
      conv_pwl: '_project_conv',
      bn3: '_bn2',
    };
    return `_blocks.${block}.${names[module]}.${leaf}`;
  });
  await expect(read({}, named(file))).rejects.toThrow(/lukemelas' EfficientNet pads as TensorFlow's "same"/);
});

test('a model of one’s own with weights has the classifier that they have', async () => {
  const model = createModel(arch.arch, arch);
  const state = initialState(model, 2);
  const files = [{ path: 'own.safetensors', blob: new Blob([writeSafetensors(state)]) }];
  expect(await loadNetwork({ kind: 'model', model, files })).toMatchObject({ headless: false, state });
  expect((await loadNetwork({ kind: 'model', model })).headless).toBe(true);
});
