import { describe, expect, test } from 'vitest';
import { redundancyOf } from '../../../src/analysis/redundancy';
import { UserError } from '../../../src/errors';
import { writeSafetensors } from '../../../src/io/safetensors';
import { floats, type StateDict } from '../../../src/io/tensor';
import { initialState } from '../../../src/model/init';
import { createModel } from '../../../src/model/zoo';
import { previewNetwork } from '../../../src/run/inspect';
import { inspectFile } from '../../../src/run/inspect-file';

const fileOf = (state: StateDict) => ({ path: 'net.safetensors', blob: new Blob([writeSafetensors(state)]) });

const kernels = Float32Array.from({ length: 4 * 2 * 9 }, (_, i) => Math.sin(i * i));

test('a file is told tensor by tensor: what it is, its shape, its numbers, its redundancy', async () => {
  const state: StateDict = new Map([
    ['conv.weight', floats([4, 2, 3, 3], kernels)],
    ['depthwise.weight', floats([8, 1, 3, 3], kernels)],
    ['row.weight', floats([8, 1, 1, 3], new Float32Array(24).fill(1))],
    ['pointwise.weight', floats([3, 2, 1, 1], new Float32Array(6))],
    ['bn.weight', floats([4], new Float32Array(4))],
    ['bn.bias', floats([4], new Float32Array(4))],
    ['bn.running_mean', floats([4], new Float32Array(4))],
    ['bn.running_var', floats([4], new Float32Array(4))],
    ['bn.num_batches_tracked', { dtype: 'I64', shape: [], data: new BigInt64Array(1) }],
    ['fc.weight', floats([5, 4], new Float32Array(20))],
  ]);
  const layers = await inspectFile([fileOf(state)]);
  const told = new Map(layers.map((layer) => [layer.name, layer]));
  expect(
    [...told.values()].map(({ name, kind, parameters }) => `${name}: ${kind}, ${parameters}`).sort(),
  ).toEqual(
    [
      'bn.bias: bias, 4',
      'bn.num_batches_tracked: buffer, 1',
      'bn.running_mean: buffer, 4',
      'bn.running_var: buffer, 4',
      'bn.weight: vector, 4',
      'conv.weight: convolution, 72',
      'depthwise.weight: depthwise convolution, 72',
      'fc.weight: linear, 20',
      'pointwise.weight: pointwise convolution, 6',
      'row.weight: depthwise convolution, 24',
    ].sort(),
  );
  expect(told.get('conv.weight')!.shape).toEqual([4, 2, 3, 3]);
  const { divergence, cosine, effectiveRank } = redundancyOf('conv', kernels, [4, 2, 3, 3]);
  expect(told.get('conv.weight')!.redundancy).toEqual({ divergence, cosine, effectiveRank });
  expect(divergence).toBeGreaterThan(0);
  // kernels that are all the same are as redundant as can be
  expect(told.get('row.weight')!.redundancy!.divergence).toBeCloseTo(0, 12);
  for (const name of ['pointwise.weight', 'fc.weight', 'bn.weight'])
    expect(told.get(name)!.redundancy).toBeUndefined();
});

describe('with an architecture', () => {
  const arch = { arch: 'resnet20_cifar', classes: 10 };
  const state = () => initialState(createModel('resnet20_cifar', { classes: 10 }), 2);

  test('a file is checked against it', async () => {
    expect((await inspectFile([fileOf(state())], arch)).length).toBe(state().size);
    const less = state();
    less.delete('conv1.weight');
    const inspected = inspectFile([fileOf(less)], arch);
    await expect(inspected).rejects.toThrow(UserError);
    await expect(inspected).rejects.toThrow(/^net\.safetensors is no ResNet-20 for C.*conv1\.weight/);
  });

  test('a preview has the redundancy of every spatial convolution, in tensors and by layer', async () => {
    const { layers, redundancy } = await previewNetwork({
      kind: 'file',
      network: arch,
      files: [fileOf(state())],
    });
    expect(redundancy).toHaveLength(19);
    const told = new Map(layers.map((layer) => [layer.name, layer]));
    for (const { name, divergence } of redundancy)
      expect(told.get(`${name}.weight`)!.redundancy!.divergence).toBe(divergence);
    expect(layers.filter((layer) => layer.redundancy !== undefined)).toHaveLength(19);
    const { data, shape } = state().get('conv1.weight')!;
    expect(redundancy[0]).toEqual(redundancyOf('conv1', data as Float32Array, shape));
  });
});

test('a stem for gray images is no depthwise convolution', async () => {
  const gray = initialState(createModel('mobilenet_v1', { kwargs: { in_chans: 1 }, classes: 2 }), 1);
  const [first] = (await inspectFile([fileOf(gray)])).filter(({ shape }) => shape.length === 4);
  expect(first).toMatchObject({ kind: 'convolution', shape: [32, 1, 3, 3] });
});
