import { expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { writeSafetensors } from '../../../src/io/safetensors';
import { initialState } from '../../../src/model/init';
import { createModel } from '../../../src/model/zoo';
import { tensorDetails } from '../../../src/run/tensor-detail';

const state = initialState(createModel('resnet20_cifar', { classes: 300 }), 2);
const files = [{ path: 'net.safetensors', blob: new Blob([writeSafetensors(state)]) }];
const source = { kind: 'file', network: { arch: 'resnet20_cifar', classes: 300 }, files } as const;
const numbers = (name: string) => Array.from(state.get(name)!.data as Float32Array);

test('a tensor is told by its numbers and drawn by what it is', async () => {
  const [conv, norm, fc] = await tensorDetails(source, ['conv1.weight', 'bn1.running_var', 'linear.weight']);
  expect(conv).toMatchObject({ name: 'conv1.weight', shape: [16, 3, 3, 3], count: 432, zeros: 0 });
  expect(conv.max).toBe(Math.max(...numbers('conv1.weight')));
  expect([...conv.kernels!.weights]).toEqual(numbers('conv1.weight'));
  expect(conv.matrix).toBeUndefined();
  expect(norm).toMatchObject({ mean: 1, std: 0 });
  expect(norm.kernels ?? norm.matrix).toBeUndefined();
  // of 300 outputs as many as a picture has room for
  expect(fc.matrix).toMatchObject({ rows: 256, columns: 64 });
  expect(fc.matrix!.values[255 * 64 + 3]).toBe(
    numbers('linear.weight')[Math.floor((255 * 300) / 256) * 64 + 3],
  );
});

test('of many kernels some are drawn', async () => {
  const [{ kernels, count }] = await tensorDetails(source, ['layer3.0.conv2.weight']);
  expect(count).toBe(64 * 64 * 9);
  expect(kernels!.drawn).toHaveLength(128);
  const plane = kernels!.drawn[100];
  expect([...kernels!.weights.subarray(900, 909)]).toEqual(
    numbers('layer3.0.conv2.weight').slice(plane * 9, plane * 9 + 9),
  );
});

test('a name that is none is named', async () => {
  const asked = tensorDetails(source, ['conv9.weight']);
  await expect(asked).rejects.toThrow(UserError);
  await expect(asked).rejects.toThrow(/no tensor "conv9\.weight"/);
});
