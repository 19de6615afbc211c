import { expect, test } from 'vitest';
import { encodeOnnx } from '../../src/io/onnx/encode';
import type { OnnxAttribute, OnnxTensor } from '../../src/io/onnx/graph';
import { floats } from '../../src/io/tensor';
import { openWeights } from '../../src/io/weights-file';
import { importOnnx } from '../../src/model/onnx/import';
import { logitsOf } from '../../src/run/logits';
import { Memo } from '../../src/run/memo';
import { runTraining } from '../../src/run/run';
import { defaultSettings } from '../../src/train/settings';
import { evaluateModel } from '../reference/model';
import { expectClose, gpu, numbers, source } from './harness';

const SIDE = 12;
const CLASSES = 10;

const random = source(3);
const drawn = (...shape: number[]): OnnxTensor => floats(shape, numbers(shape, random, 0.4).data);
const integers = (...data: number[]): OnnxTensor => ({
  dtype: 'I64',
  shape: [data.length],
  data: BigInt64Array.from(data, BigInt),
});

/** What no network of the zoo has: padding of one side, group norm, repeated pixels, differences. */
const NODES: [op: string, inputs: string[], output: string, attributes?: Record<string, OnnxAttribute>][] = [
  ['Conv', ['x', 'stem.weight', 'stem.bias'], 'a', { auto_pad: 'SAME_UPPER', strides: [2, 2] }],
  ['Reshape', ['a', 'apart'], 'b'],
  ['InstanceNormalization', ['b', 'ones', 'zeros'], 'c', { epsilon: 1e-5 }],
  ['Shape', ['a'], 'd'],
  ['Reshape', ['c', 'd'], 'e'],
  ['Mul', ['e', 'norm.weight'], 'f'],
  ['Add', ['f', 'norm.bias'], 'g'],
  ['Relu', ['g'], 'h'],
  ['Conv', ['h', 'depthwise.weight', 'depthwise.bias'], 'i', { pads: [0, 2, 2, 0], group: 6 }],
  ['Sub', ['h', 'i'], 'j'],
  ['MaxPool', ['j'], 'k', { auto_pad: 'SAME_LOWER', kernel_shape: [2, 2], strides: [2, 2] }],
  ['Resize', ['k', '', 'by'], 'l', { mode: 'nearest' }],
  ['Max', ['l', 'h'], 'm'],
  ['GlobalAveragePool', ['m'], 'n'],
  ['Flatten', ['n'], 'o', { axis: 1 }],
  ['Gemm', ['o', 'fc.weight', 'fc.bias'], 'y', { transB: 1 }],
];
const TENSORS: Record<string, OnnxTensor> = {
  'stem.weight': drawn(6, 3, 3, 3),
  'stem.bias': drawn(6),
  'depthwise.weight': drawn(6, 1, 3, 3),
  'depthwise.bias': drawn(6),
  'norm.weight': drawn(6, 1, 1),
  'norm.bias': drawn(6, 1, 1),
  'fc.weight': drawn(CLASSES, 6),
  'fc.bias': drawn(CLASSES),
  apart: integers(0, 3, -1),
  ones: floats([3], [1, 1, 1]),
  zeros: floats([3], [0, 0, 0]),
  by: floats([4], [1, 1, 2, 2]),
};

const bytes = encodeOnnx(
  {
    file: 'net',
    opset: 17,
    producer: 'test',
    nodes: NODES.map(([op, inputs, output, attributes = {}], index) => ({
      ...{ index, op, domain: '', name: `${op}_${index}`, inputs, outputs: [output] },
      attributes: new Map(Object.entries(attributes)),
    })),
    initializers: new Map(Object.entries(TENSORS)),
    inputs: [{ name: 'x', dtype: 'F32', shape: ['batch', 3, SIDE, SIDE] }],
    outputs: [{ name: 'y', dtype: 'F32', shape: ['batch', CLASSES] }],
  },
  new Map(),
);

const pixels = Uint8Array.from({ length: 24 * SIDE * SIDE }, () => 128 + 60 * random());

/** A file's answers to gray images on the GPU, against plain loops in float64. */
async function expectAnswers(file: Uint8Array<ArrayBuffer>): Promise<Float64Array> {
  const { onnx } = await openWeights({ path: 'net.onnx', blob: new Blob([file]) });
  const network = importOnnx(onnx!.graph);
  const count = 3;
  const rgb = Uint8Array.from({ length: count * SIDE * SIDE * 3 }, (_, i) => pixels[Math.floor(i / 3)]);
  const labels = new Uint16Array(count);
  const images = { pixels: rgb, labels, count, height: SIDE, width: SIDE, classes: [] };
  const options = { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] };
  const rows = await logitsOf(await gpu(), network, images, options);
  const area = SIDE * SIDE;
  const x = Float64Array.from(
    { length: count * 3 * area },
    (_, i) => (pixels[Math.floor(i / (3 * area)) * area + (i % area)] / 255 - 0.5) / 0.2,
  );
  const expected = evaluateModel(network.model, network.state, { shape: [count, 3, SIDE, SIDE], data: x });
  expectClose(
    rows.flatMap((row) => [...row]),
    expected.data,
    1e-5,
    'logits',
  );
  return expected.data as Float64Array;
}

test('an ONNX network that no other is like answers as in float64, before and after it was trained', async () => {
  const before = await expectAnswers(bytes);
  const file = (path: string, header: number[], content: Uint8Array<ArrayBuffer>) => ({
    path,
    blob: new Blob([new Uint8Array(new Uint32Array(header).buffer).reverse(), content]),
  });
  const set = (name: string, count: number) => [
    file(`${name}-images-idx3-ubyte`, [SIDE, SIDE, count, 0x803], pixels.slice(0, count * SIDE * SIDE)),
    file(
      `${name}-labels-idx1-ubyte`,
      [count, 0x801],
      Uint8Array.from({ length: count }, (_, i) => i % CLASSES),
    ),
  ];
  const { report, files } = await runTraining(
    {
      model: { kind: 'file', files: [{ path: 'net.onnx', blob: new Blob([bytes]) }] },
      train: { kind: 'files', files: [...set('train', 24), ...set('t10k', 10)] },
      settings: { ...defaultSettings(), epochs: 2, batch: 8, repeats: 1, lr: 0.05 },
    },
    { gpu, memo: new Memo(), control: { cancelled: false }, emit: () => {} },
  );
  expect(report.proof.ok).toBe(true);
  const after = await expectAnswers(files.find(({ name }) => name === 'merged.onnx')!.bytes);
  expect(Math.max(...after.map((v, i) => Math.abs(v - before[i])))).toBeGreaterThan(1e-3);
});
