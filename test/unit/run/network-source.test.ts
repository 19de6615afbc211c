import { expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { writeSafetensors } from '../../../src/io/safetensors';
import { floats, type StateDict } from '../../../src/io/tensor';
import { initialState } from '../../../src/model/init';
import { createModel } from '../../../src/model/zoo';
import type { NetworkOptions } from '../../../src/run/network-options';
import { loadNetwork } from '../../../src/run/network-source';

const arch = { arch: 'resnet20_cifar', classes: 10 };

const read = (options: NetworkOptions, state: StateDict) => {
  const blob = new Blob([writeSafetensors(state)]);
  const file = { path: 'net.safetensors', blob };
  return loadNetwork({ kind: 'file', arch: options, file });
};

/** Loads ResNet-20 from a file with other tensors than it has. */
async function load(change: (state: StateDict) => void) {
  const state = initialState(createModel(arch.arch, arch), 1);
  change(state);
  return read(arch, state);
}

test('a network loads with its numbers', async () => {
  const { file, model, weights } = await load((s) =>
    s.set('linear.bias', floats([10], new Array(10).fill(7))),
  );
  expect(file).toBe('net.safetensors');
  expect(model).toEqual(createModel(arch.arch, arch));
  expect([...weights.tensors.get('linear.bias')!.data]).toEqual(new Array(10).fill(7));
});

test.each<NetworkOptions>([
  { arch: 'resnet20_cifar' },
  // its head is a convolution: no tensor of the file is a matrix
  { arch: 'squeezenet1_1' },
  // the last matrix by name belongs to a block
  { arch: 'convnext', kwargs: { blocks: [[8, null, 1]] } },
])('a file tells its classes by the head of $arch, whatever order its names have', async (options) => {
  const { arch: name, ...rest } = options;
  const state = initialState(createModel(name, { ...rest, classes: 7 }), 1);
  const sorted = new Map([...state].sort(([a], [b]) => (a < b ? -1 : 1)));
  const reversed = new Map([...sorted].reverse());
  for (const order of [state, sorted, reversed])
    expect((await read(options, order)).model).toEqual(createModel(name, { ...rest, classes: 7 }));
});

test('a file without the head says so', async () => {
  const state = initialState(createModel(arch.arch, arch), 1);
  state.delete('linear.weight');
  await expect(read({ arch: arch.arch }, state)).rejects.toThrow(/lacks tensor linear\.weight \(10 x 64\)/);
});

test('the built-in network comes with the engine', async () => {
  const { file, model, weights } = await loadNetwork({ kind: 'builtin' });
  expect(file).toBe('builtin-mobilenet_v2.safetensors');
  expect(model.head.classes).toBe(10);
  expect(weights.tensors.size).toBe(model.state.length);
});

test('random weights need a number of classes', async () => {
  const source = { kind: 'random', arch: { arch: 'resnet20_cifar' }, seed: 3 } as const;
  await expect(loadNetwork(source)).rejects.toThrow(/resnet20_cifar has no weights to tell/);
  const { model, weights } = await loadNetwork({ ...source, arch });
  expect(weights.tensors).toEqual(initialState(model, 3));
});

test.each<[string, (state: StateDict) => void, RegExp]>([
  [
    'another shape',
    (s) => s.set('conv1.weight', floats([8, 3, 3, 3], new Float32Array(216))),
    /^net\.safetensors: tensor conv1\.weight is 8 x 3 x 3 x 3, but 16 x 3 x 3 x 3 in the network: choose/,
  ],
  ['a tensor less', (s) => s.delete('conv1.weight'), /^net\.safetensors lacks tensor conv1\.weight/],
  [
    'a tensor more',
    (s) => s.set('__proto__', floats([1], [1])),
    /^net\.safetensors holds tensor __proto__ \(1\), which the network does not have/,
  ],
])(
  '%s than the architecture has: the file and the tensor are named before any image is read',
  async (_, change, message) => {
    const error = await load(change).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(message);
  },
);
