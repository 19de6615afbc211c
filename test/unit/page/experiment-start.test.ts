import { expect, test } from 'vitest';
import { startFile, startOf } from '../../../src/page/experiment/start';

const merged = new Uint8Array([1]);
const onnx = { name: 'merged.onnx', bytes: new Uint8Array([2, 3]) };

test('an arm goes on from the ONNX file of a run that has one, whose weights alone have no layers', async () => {
  const { path, blob } = startFile('runs/dbb-seed0', startOf({ merged, files: [onnx] }));
  expect(path).toBe('runs-dbb-seed0.onnx');
  expect(new Uint8Array(await (blob as Blob).arrayBuffer())).toEqual(onnx.bytes);
});

test('else from its weights, those that an earlier version kept too', async () => {
  const { path, blob } = startFile('base', startOf({ merged, files: [] }));
  expect(path).toBe('base.safetensors');
  expect(new Uint8Array(await (blob as Blob).arrayBuffer())).toEqual(merged);
  expect(startFile('base', new Blob([merged])).path).toBe('base.safetensors');
});
