import { expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { writeSafetensors } from '../../../src/io/safetensors';
import { floats, type StateDict } from '../../../src/io/tensor';
import { describe as describeNet } from '../../../src/model/describe';
import { initialState } from '../../../src/model/init';
import { architecture } from '../../../src/model/zoo';
import { loadNetwork, skippedWarning } from '../../../src/run/sources';

const arch = { arch: 'resnet20_cifar', classes: 10 };

/** Loads ResNet-20 from a file with other tensors than it has. */
async function load(change: (state: StateDict) => void) {
  const state = initialState(describeNet(architecture(arch.arch, arch), [32, 32]), 1);
  change(state);
  const tensors = new Map(
    [...state].map(([name, { shape, data }]) => [
      name,
      { shape, data: Float32Array.from(data as ArrayLike<number>) },
    ]),
  );
  const blob = new Blob([writeSafetensors(tensors)]);
  return loadNetwork({ kind: 'file', arch, file: { path: 'net.safetensors', blob } }, async () => {
    throw new Error('nothing of public/ is needed');
  });
}

test('a network loads with its classes', async () => {
  const network = await load(() => {});
  expect(network).toMatchObject({ file: 'net.safetensors', classes: 10 });
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

test('images that were skipped are counted, the first one named', () => {
  const skipped = [
    { path: 'cat/1.jpg', reason: 'it is cut off' },
    { path: 'cat/2.jpg', reason: 'it is empty' },
  ];
  expect(skippedWarning({ skipped: [] })).toBeUndefined();
  expect(skippedWarning({ skipped: skipped.slice(1) })).toBe('1 image was skipped, cat/2.jpg: it is empty');
  expect(skippedWarning({ skipped })).toBe('2 images were skipped, first cat/1.jpg: it is cut off');
});
