import { expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { type OpenedWeights, stateCopy } from '../../../src/io/state-copy';
import { floats } from '../../../src/io/tensor';
import { initialState } from '../../../src/model/init';
import type { Model } from '../../../src/model/model';
import { createModel } from '../../../src/model/zoo';
import { recogniseWeights } from '../../../src/run/recognise-weights';

const state = initialState(createModel('resnet20_cifar'), 1);

/** A file with copies of ResNet-20 of those names. */
const opened = (...names: string[]): OpenedWeights => ({
  file: 'run.ckpt',
  format: 'pytorch-zip',
  metadata: new Map(),
  copies: names.map((name) => stateCopy('run.ckpt', name, state, async (key) => state.get(key)!)),
});

const chosen = (file: OpenedWeights, wanted?: string) => recogniseWeights(file, { state: wanted }).copy.name;

test('the first state dict that fits is meant, or the one that the user names', () => {
  const file = opened('state_dict', 'model.ema', 'ema');
  expect(chosen(file)).toBe('state_dict');
  expect(chosen(file, 'model.ema')).toBe('model.ema');
  // the last part of its name is enough
  expect(chosen(opened('state_dict', 'model.ema'), 'ema')).toBe('model.ema');
});

test('a network and its average within one state dict: the network is meant, the other one is offered', () => {
  // the average comes first, and under a longer name
  const both = new Map(
    ['ema_model.net.', 'model.'].flatMap((wrapper) =>
      [...state].map(([name, tensor]) => [wrapper + name, tensor] as const),
    ),
  );
  both.set('criterion.weight', state.get('linear.bias')!);
  const copy = stateCopy('run.ckpt', '', both, async (key) => both.get(key)!);
  const file = { ...opened(), copies: [copy] };
  const { prefix, notes } = recogniseWeights(file, {});
  expect(prefix).toBe('model.');
  expect(notes).toEqual([
    'run.ckpt is ResNet-20 for CIFAR of akamaster, 10 classes.',
    'The weights are those within model; the file also has ema_model.net (state dict, --state ema_model.net).',
    'The network has no use for criterion.weight: left out.',
  ]);
  for (const wanted of ['ema_model', 'ema_model.net', 'net'])
    expect(recogniseWeights(file, { state: wanted }).prefix).toBe('ema_model.net.');
  expect(() => recogniseWeights(file, { state: 'ema' })).toThrow(/has no state dict "ema"/);
});

test('a classifier of two layers beside a wrapped backbone', () => {
  const whole = initialState(createModel('mobilenet_v3_small', { classes: 4 }), 1);
  const tensors = new Map(
    [...whole].map(([name, tensor]) => [name.replace(/^features/, 'backbone.features'), tensor]),
  );
  const copy = stateCopy('run.ckpt', '', tensors, async (key) => tensors.get(key)!);
  const { model, names, notes } = recogniseWeights({ ...opened(), copies: [copy] }, {});
  expect([model.name, model.head.classes, names.size]).toEqual(['mobilenet_v3_small', 4, whole.size]);
  expect(notes).toHaveLength(1);
});

test('a file of very many tensors, or of very long names, is not compared with every network', () => {
  const tensor = state.get('linear.bias')!;
  const fileOf = (names: string[]): OpenedWeights => {
    const tensors = new Map(names.map((name) => [name, tensor]));
    return { ...opened(), copies: [stateCopy('run.ckpt', '', tensors, async () => tensor)] };
  };
  const many = Array.from({ length: 20_001 }, (_, i) => `w${i}`);
  expect(() => recogniseWeights(fileOf(many), {})).toThrow(
    'run.ckpt has 20,001 tensors, more than any network that is known here: choose the weights of one network.',
  );
  const long = 'module.'.repeat(30_000);
  expect(() => recogniseWeights(fileOf([`${long}linear.bias`]), {})).toThrow(/is none of the networks/);
  const both = new Map([...state, [`${long}linear.bias`, tensor] as const]);
  const copy = stateCopy('run.ckpt', '', both, async (key) => both.get(key)!);
  const { model, kept } = recogniseWeights({ ...opened(), copies: [copy] }, {});
  expect([model.name, kept.size]).toEqual(['resnet20_cifar', state.size]);
});

test('a name that the file does not have is refused with those that it has', () => {
  const wrong = () => chosen(opened('', 'model.ema'), 'em');
  expect(wrong).toThrow(UserError);
  expect(wrong).toThrow('run.ckpt has no state dict "em": it has one at its top, model.ema.');
});

test('what of a file belongs to the network is kept: counters of its norms, and nothing else', () => {
  const more = new Map(state);
  const counter = { dtype: 'I64' as const, shape: [], data: BigInt64Array.of(1n) };
  more.set('bn1.num_batches_tracked', counter).set('other.num_batches_tracked', counter);
  const copy = stateCopy('run.ckpt', '', more, async (key) => more.get(key)!);
  const { kept, model } = recogniseWeights({ ...opened(), copies: [copy] }, {});
  expect(model).toEqual(createModel('resnet20_cifar'));
  expect(kept.has('bn1.num_batches_tracked')).toBe(true);
  expect(kept.has('other.num_batches_tracked')).toBe(false);
  expect(kept.size).toBe(state.size + 1);
});

test('the stride of a stem is said to be a guess, but where the file or the user tells it', () => {
  const stem = initialState(createModel('shufflenet_v2_x0_5'), 1);
  const copy = stateCopy('net.pth', '', stem, async (key) => stem.get(key)!);
  const file = { ...opened(), copies: [copy] };
  const said = { architecture: 'shufflenet_v2_x0_5', args: { stem_stride: 2 } };
  const guessed = (...args: Parameters<typeof recogniseWeights>) =>
    recogniseWeights(...args).notes.some((note) => note.includes('--stem-stride 1'));
  expect(guessed(file, {})).toBe(true);
  expect(guessed(file, { stemStride: 2 })).toBe(false);
  expect(guessed(file, {}, said)).toBe(false);
  // of a file whose description does not fit it, nothing is known
  expect(guessed(file, {}, { ...said, architecture: 'resnet18' })).toBe(true);
});

test('of networks for small images that is told which weights do not tell', () => {
  const read = (model: Model, rename = (name: string) => name) => {
    const own = new Map([...initialState(model, 1)].map(([name, tensor]) => [rename(name), tensor] as const));
    const copy = stateCopy('net.pth', '', own, async (key) => own.get(key)!);
    return recogniseWeights({ ...opened(), copies: [copy] }, {});
  };
  const stem = createModel('resnet18', { stemStride: 1, classes: 10, kwargs: { stem_kernel: 3 } });
  const torchvision = read(stem);
  expect(torchvision.model.args).toMatchObject({ stem_kernel: 3, stem_stride: 1 });
  expect(torchvision.notes[0]).toMatch(/without stride and pooling.*0\.4914/);
  expect(torchvision.model.input).toMatchObject({ size: 32, mean: [0.485, 0.456, 0.406] });
  const kuangliu = read(stem, (name) => name.replace('downsample', 'shortcut').replace(/^fc/, 'linear'));
  expect(kuangliu.notes).toEqual([
    'run.ckpt is ResNet-18 {"stem_kernel":3,"stem_stride":1} of kuangliu, 10 classes.',
  ]);
  expect(kuangliu.model.input).toMatchObject({
    mean: [0.4914, 0.4822, 0.4465],
    std: [0.2023, 0.1994, 0.201],
  });
  const small = createModel('vgg11_bn', { kwargs: { avgpool: 1, hidden: 8 }, classes: 10 });
  const vgg = read(small);
  expect([vgg.model.args, vgg.model.input.size]).toEqual([small.args, 32]);
  expect(vgg.notes[0]).toContain('0.4914');
  expect(read(createModel('mobilenet_v2', { classes: 10 })).notes[0]).toContain('[6,24,2,1]');
  expect(read(createModel('mobilenet_v2', { classes: 11 })).notes[0]).not.toContain('[6,24,2,1]');
  expect(read(createModel('repvgg_a0', { classes: 10 })).notes[0]).toContain('in the first stage too');
});

test('a shallower network of the same family, whose tensors a file has too, is no rival', () => {
  const deep = initialState(createModel('convnext_small', { classes: 7 }), 1);
  const copy = stateCopy('run.ckpt', '', deep, async (key) => deep.get(key)!);
  const { model, notes } = recogniseWeights({ ...opened(), copies: [copy] }, {});
  expect(model.name).toBe('convnext_small');
  expect(notes).toEqual(['run.ckpt is ConvNeXt-Small of torchvision, 7 classes.']);
});

test('layers within the blocks of a network that are none of its are another network’s, unless the user names it', () => {
  const file = (...names: string[]) => {
    const more = new Map(state);
    for (const name of names) more.set(name, state.get('conv1.weight')!);
    return { ...opened(), copies: [stateCopy('run.ckpt', '', more, async (key) => more.get(key)!)] };
  };
  const squeezing = file('layer1.0.se.fc1.weight', 'layer1.2.se.fc1.weight');
  expect(() => recogniseWeights(squeezing, {})).toThrow(
    'run.ckpt is not quite ResNet-20 for CIFAR of akamaster, 10 classes: it also has layer1.0.se.fc1.weight and 1 more, without which its answers would be others.',
  );
  expect(recogniseWeights(squeezing, { arch: 'resnet20_cifar' }).notes).toHaveLength(1);
  expect(() => recogniseWeights(file('conv1.bias'), {})).toThrow('it also has conv1.bias, without which');
  // a block or a stage more than the network has
  for (const name of ['layer2.3.conv1.weight', 'layer4.0.conv1.weight']) {
    expect(() => recogniseWeights(file(name), {})).toThrow(`it also has ${name}, without which`);
    expect(recogniseWeights(file(name), { arch: 'resnet20_cifar' }).notes).toHaveLength(1);
  }
  // a branch that is a batch norm alone, as RepVGG's first block has it where it keeps its image's size
  const norm = ['weight', 'bias', 'running_mean', 'running_var'].map((leaf) => `layer1.0.more.${leaf}`);
  const branch = new Map([...state, ...norm.map((name) => [name, state.get('bn1.bias')!] as const)]);
  const copies = [stateCopy('run.ckpt', '', branch, async (key) => branch.get(key)!)];
  expect(() => recogniseWeights({ ...opened(), copies }, {})).toThrow('it also has layer1.0.more.weight');
  // what a training script adds beside the blocks does not matter
  expect(recogniseWeights(file('criterion.0.weight', 'aux.0.conv.weight'), {}).notes).toHaveLength(2);
});

test('weights in parts, of pruning or of a weight norm, are named with what puts them together', () => {
  for (const part of ['weight_orig', 'weight_v', 'parametrizations.weight.original']) {
    const pruned = new Map(
      [...state].map(([name, tensor]) => [
        name.replace(/^(conv1|layer1\.0\.conv1)\.weight$/, `$1.${part}`),
        tensor,
      ]),
    );
    const copies = [stateCopy('run.ckpt', '', pruned, async (key) => pruned.get(key)!)];
    expect(() => recogniseWeights({ ...opened(), copies }, {})).toThrow(
      `run.ckpt has weights in parts (conv1.${part}), of which its network made them as it ran: put them together`,
    );
  }
});

test('where a network takes other channels than gray and RGB its first layer is named', () => {
  const four = new Map(state).set('conv1.weight', floats([16, 4, 3, 3], new Float32Array(16 * 36)));
  const copies = [stateCopy('run.ckpt', '', four, async (key) => four.get(key)!)];
  expect(() => recogniseWeights({ ...opened(), copies }, {})).toThrow(
    'nearest is ResNet for CIFAR of akamaster, 10 classes: other shapes: conv1.weight (16 x 4 x 3 x 3, there 16 x 3 x 3 x 3).',
  );
});
