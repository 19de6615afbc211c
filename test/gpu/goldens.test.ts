import { expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors';
import type { StateDict } from '../../src/io/tensor';
import { verifyCase } from '../../src/verify';
import { goldenNames, loadGolden } from '../goldens';
import { gpu } from './harness';

test.each(goldenNames())('%s agrees with PyTorch', async (name) => {
  const line = await verifyCase(await gpu(), name, await loadGolden(name));
  expect(line.ok, `${line.message} (error ${line.error}, tolerance ${line.tolerance})`).toBe(true);
  expect(line.tolerance).toBeGreaterThan(0);
});

/** What a golden case changed by `edit` comes to. */
async function verifyEdited(name: string, edit: (tensors: StateDict, metadata: Map<string, string>) => void) {
  const { tensors, metadata } = readSafetensors(await loadGolden(name), name);
  edit(tensors, metadata);
  return verifyCase(await gpu(), name, writeSafetensors(tensors, metadata));
}

/** Moves a tensor's largest element by `fraction` of itself. */
function disturb(tensors: StateDict, name: string, fraction: number): void {
  const data = tensors.get(name)!.data as Float32Array;
  const largest = data.reduce((at, v, i) => (Math.abs(v) > Math.abs(data[at]) ? i : at), 0);
  data[largest] *= 1 + fraction;
}

test.each([
  ['ops/conv2d_3x3', 'out.y'],
  ['ops/conv2d_3x3', 'grad.weight'],
  ['ops/batch_norm_train_odd', 'out.running_var'],
  ['ops/sgd_momentum', 'out.params'],
])('%s with one wrong number in %s fails', async (name, tensor) => {
  const line = await verifyEdited(name, (tensors) => disturb(tensors, tensor, 5e-4));
  expect(line).toMatchObject({ ok: false, message: expect.stringContaining(tensor) });
});

test.each([
  ['out.logits_eval', 5e-3],
  ['out.losses', 5e-3],
  ['grad.classifier.weight', 0.1],
  ['out.state.features.conv0.weight', 5e-3],
])('a network with one wrong number in %s fails', async (tensor, fraction) => {
  const line = await verifyEdited('models/densenet.refocus', (tensors) => disturb(tensors, tensor, fraction));
  expect(line.ok).toBe(false);
});

test('a NaN is no agreement', async () => {
  const line = await verifyEdited('ops/add', (tensors) => {
    (tensors.get('in.a')!.data as Float32Array)[0] = Number.NaN;
  });
  expect(line.ok).toBe(false);
});

test.each(['convolve', 'toString', ''])('an operation called "%s" is unknown', async (op) => {
  const line = await verifyEdited('ops/add', (_, metadata) => metadata.set('op', op));
  expect(line).toMatchObject({ ok: false, message: expect.stringContaining(`unknown operation "${op}"`) });
});

test('a case without expectations fails', async () => {
  const line = await verifyEdited('ops/add', (tensors) => {
    for (const name of tensors.keys()) if (/^(out|grad)\./.test(name)) tensors.delete(name);
  });
  expect(line.ok).toBe(false);
});
