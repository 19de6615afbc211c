/** Tiny ONNX files, node by node. */
import { expect } from 'vitest';
import { product } from '../src/graph/tensor';
import { encodeOnnx } from '../src/io/onnx/encode';
import type { OnnxAttribute, OnnxTensor } from '../src/io/onnx/graph';
import { floats } from '../src/io/tensor';
import { openWeights } from '../src/io/weights-file';
import { importOnnx } from '../src/model/onnx/import';
import { normals, uniforms } from '../src/model/random';
import { difference, runOnnx, someImages } from './onnx';
import { evaluateModel } from './reference/model';

/** Several outputs have spaces between. */
export type Node = [op: string, inputs: string[], output: string, attributes?: Record<string, OnnxAttribute>];

export const drawn = (...shape: number[]): OnnxTensor => {
  const draw = normals(uniforms(shape.length, shape.join()));
  return floats(
    shape,
    Array.from({ length: product(shape) }, () => draw() * 0.5),
  );
};
export const integers = (...data: number[]): OnnxTensor => ({
  dtype: 'I64',
  shape: [data.length],
  data: BigInt64Array.from(data, BigInt),
});
export const scalar = (value: number): OnnxTensor => floats([], [value]);

/** A file of these nodes: `x` `[1, 3, 8, 8]`, or of another shape, to `y` `[1, 4]`. */
export function file(
  nodes: Node[],
  tensors: Record<string, OnnxTensor>,
  opset = 17,
  shape: (number | string)[] = [1, 3, 8, 8],
) {
  return encodeOnnx(
    {
      file: 'net',
      opset,
      producer: 'test',
      nodes: nodes.map(([op, inputs, output, attributes = {}], index) => ({
        index,
        op,
        domain: '',
        name: `${op}_${index}`,
        inputs,
        outputs: output.split(' '),
        attributes: new Map(Object.entries(attributes)),
      })),
      initializers: new Map(Object.entries(tensors)),
      inputs: [{ name: 'x', dtype: 'F32', shape }],
      outputs: [{ name: 'y', dtype: 'F32', shape: [1, 4] }],
    },
    new Map(),
  );
}

export async function read(bytes: Uint8Array<ArrayBuffer>) {
  const { onnx } = await openWeights({ path: 'net.onnx', blob: new Blob([bytes]) });
  return { graph: onnx!.graph, ...importOnnx(onnx!.graph) };
}

export const images = someImages([1, 3, 8, 8]);

export async function expectAgreement(bytes: Uint8Array<ArrayBuffer>) {
  const imported = await read(bytes);
  const { data } = evaluateModel(imported.model, imported.state, images);
  expect(difference(await runOnnx(bytes, images), data)).toBeLessThan(1e-5);
  return imported;
}

/** A convolution to four channels, something in the middle, and a head. */
export const around = (
  middle: Node[],
  tensors: Record<string, OnnxTensor> = {},
  opset?: number,
  shape?: (number | string)[],
) =>
  file(
    [
      ['Conv', ['x', 'w', 'b'], 'a', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }],
      ...middle,
      ['GlobalAveragePool', ['z'], 'p'],
      ['Flatten', ['p'], 'f', { axis: 1 }],
      ['Gemm', ['f', 'fc.weight', 'fc.bias'], 'y', { transB: 1 }],
    ],
    { w: drawn(4, 3, 3, 3), b: drawn(4), 'fc.weight': drawn(4, 4), 'fc.bias': drawn(4), ...tensors },
    opset,
    shape,
  );
