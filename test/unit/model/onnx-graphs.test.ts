import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, StringStringEntryProtoSchema, TensorProto_DataLocation } from 'onnx-buf';
import { describe, expect, test } from 'vitest';
import type { OnnxTensor } from '../../../src/io/onnx/graph';
import { rewriteOnnx } from '../../../src/io/onnx/rewrite';
import { floats } from '../../../src/io/tensor';
import { openWeights } from '../../../src/io/weights-file';
import { importOnnx } from '../../../src/model/onnx/import';
import { editsFor } from '../../../src/model/onnx/write';
import { uniforms } from '../../../src/model/random';
import { difference, runOnnx } from '../../onnx';
import {
  around,
  drawn,
  expectAgreement,
  file,
  images,
  integers,
  type Node,
  read,
  scalar,
} from '../../onnx-graph';
import { evaluateModel } from '../../reference/model';

describe('what exporters take apart is read as what it was', () => {
  const half = scalar(0.5);
  const cases: [name: string, middle: Node[], tensors: Record<string, OnnxTensor>, kinds: string[]][] = [
    [
      'hard-swish of Add, Clip, Mul and Div',
      [
        ['Add', ['a', 'three'], 'c'],
        ['Clip', ['c', 'zero', 'six'], 'd'],
        ['Mul', ['a', 'd'], 'e'],
        ['Div', ['e', 'six'], 'z'],
      ],
      { three: scalar(3), zero: scalar(0), six: scalar(6) },
      ['hardswish'],
    ],
    [
      'SiLU of Sigmoid and Mul',
      [
        ['Sigmoid', ['a'], 'c'],
        ['Mul', ['c', 'a'], 'z'],
      ],
      {},
      ['silu'],
    ],
    [
      'GELU of Erf',
      [
        ['Div', ['a', 'root'], 'c'],
        ['Erf', ['c'], 'd'],
        ['Add', ['d', 'one'], 'e'],
        ['Mul', ['a', 'e'], 'g'],
        ['Mul', ['g', 'half'], 'z'],
      ],
      { root: scalar(Math.SQRT2), one: scalar(1), half },
      ['gelu'],
    ],
    [
      'GELU of Tanh',
      [
        ['Pow', ['a', 'three'], 'c'],
        ['Mul', ['c', 'part'], 'd'],
        ['Add', ['a', 'd'], 'e'],
        ['Mul', ['e', 'root'], 'g'],
        ['Tanh', ['g'], 'h'],
        ['Add', ['h', 'one'], 'i'],
        ['Mul', ['a', 'half'], 'j'],
        ['Mul', ['j', 'i'], 'z'],
      ],
      {
        three: scalar(3),
        part: scalar(0.044715),
        root: scalar(Math.sqrt(2 / Math.PI)),
        one: scalar(1),
        half,
      },
      ['gelu_tanh'],
    ],
    [
      'Mish of Softplus and Tanh',
      [
        ['Softplus', ['a'], 'c'],
        ['Tanh', ['c'], 'd'],
        ['Mul', ['a', 'd'], 'z'],
      ],
      {},
      ['mish'],
    ],
    ['Elu', [['Elu', ['a'], 'z']], {}, ['elu']],
    ['Tanh', [['Tanh', ['a'], 'z']], {}, ['tanh']],
    ['Softplus', [['Softplus', ['a'], 'z']], {}, ['softplus']],
    ['LeakyRelu', [['LeakyRelu', ['a'], 'z', { alpha: 0.3 }]], {}, ['negative', 'relu']],
    ['Elu of another alpha', [['Elu', ['a'], 'z', { alpha: 0.6 }]], {}, ['negative', 'elu', 'relu']],
    ['Selu', [['Selu', ['a'], 'z']], {}, ['negative', 'elu', 'relu']],
    ['PRelu of one slope', [['PRelu', ['a', 's'], 'z']], { s: floats([1], [0.2]) }, ['negative', 'relu']],
    [
      'PRelu of a slope a channel',
      [['PRelu', ['a', 's'], 'z']],
      { s: floats([4, 1, 1], [0.2, -0.4, 1.5, 0]) },
      ['negative', 'relu'],
    ],
    [
      'a hard-sigmoid of another slope',
      [['HardSigmoid', ['a'], 'z', { alpha: 0.2, beta: 0.5 }]],
      {},
      ['hardsigmoid'],
    ],
    ['a clip at one', [['Clip', ['a', 'zero', 'one'], 'z']], { zero: scalar(0), one: scalar(1) }, ['relu6']],
    [
      'an affine function of each channel',
      [
        ['Mul', ['a', 's'], 'c'],
        ['Add', ['c', 't'], 'z'],
      ],
      { s: drawn(4, 1, 1), t: drawn(1, 4, 1, 1) },
      [],
    ],
  ];
  test.each(cases)('%s', async (_, middle, tensors, kinds) => {
    const { model } = await expectAgreement(around(middle, tensors));
    const found = model.layers.flatMap((layer) => (layer.kind === 'activation' ? [layer.activation] : []));
    expect(found).toEqual(kinds);
  });

  test('layer norm of ReduceMean, Sub, Pow, Sqrt and Div', async () => {
    const middle: Node[] = [
      ['Transpose', ['a'], 'l', { perm: [0, 2, 3, 1] }],
      ['ReduceMean', ['l'], 'm', { axes: [-1] }],
      ['Sub', ['l', 'm'], 'd'],
      ['Pow', ['d', 'two'], 'q'],
      ['ReduceMean', ['q'], 'v', { axes: [-1] }],
      ['Add', ['v', 'eps'], 'e'],
      ['Sqrt', ['e'], 'r'],
      ['Div', ['d', 'r'], 'n'],
      ['Mul', ['n', 'g'], 'o'],
      ['Add', ['o', 'h'], 's'],
      ['Transpose', ['s'], 'z', { perm: [0, 3, 1, 2] }],
    ];
    const tensors = { two: scalar(2), eps: scalar(1e-6), g: drawn(4), h: drawn(4) };
    const { model } = await expectAgreement(around(middle, tensors));
    expect(model.layers.map(({ kind }) => kind)).toEqual(['conv', 'layer_norm', 'global_avg_pool', 'linear']);
  });

  test('a linear layer over a flattened image, the channels last', async () => {
    const nodes: Node[] = [
      ['Conv', ['x', 'w'], 'a', { kernel_shape: [3, 3], strides: [4, 4], pads: [1, 1, 1, 1] }],
      ['Transpose', ['a'], 'l', { perm: [0, 2, 3, 1] }],
      ['Reshape', ['l', 'shape'], 'f'],
      ['MatMul', ['f', 'v'], 'm'],
      ['Add', ['m', 'b'], 'y'],
    ];
    const bytes = file(nodes, { w: drawn(5, 3, 3, 3), shape: integers(1, -1), v: drawn(20, 4), b: drawn(4) });
    const { model } = await expectAgreement(bytes);
    expect(model.head).toMatchObject({ kind: 'linear', classes: 4 });
  });
});

test('pads as PyTorch computes them: pairs, the last axis first, turned round', async () => {
  const nodes: Node[] = [
    ['Reshape', ['pairs', 'two'], 'r'],
    ['Slice', ['r', 'last', 'first', 'zero', 'back'], 's'],
    ['Transpose', ['s'], 't', { perm: [1, 0] }],
    ['Reshape', ['t', 'flat'], 'pads'],
    ['Pad', ['x', 'pads'], 'p'],
    ['Conv', ['p', 'w', 'b'], 'a', { kernel_shape: [3, 3] }],
    ['GlobalAveragePool', ['a'], 'g'],
    ['Flatten', ['g'], 'y', { axis: 1 }],
  ];
  const { model } = await expectAgreement(
    file(nodes, {
      pairs: integers(2, 2, 1, 1, 0, 0, 0, 0),
      two: integers(-1, 2),
      last: integers(-1),
      first: integers(-9007199254740991),
      zero: integers(0),
      back: integers(-1),
      flat: integers(-1),
      w: drawn(4, 3, 3, 3),
      b: drawn(4),
    }),
  );
  expect(model.layers[0]).toMatchObject({ kind: 'conv', padding: [1, 2] });
});

test('quantised weights are read as floats, and written as floats', async () => {
  const q: OnnxTensor = {
    dtype: 'I8',
    shape: [4, 4, 1, 1],
    data: Int8Array.from({ length: 16 }, (_, i) => i * 13 - 90),
  };
  const middle: Node[] = [
    ['DequantizeLinear', ['q', 'scale', 'zero'], 'k'],
    ['Conv', ['a', 'k'], 'z', { kernel_shape: [1, 1] }],
  ];
  const bytes = around(middle, {
    q,
    scale: scalar(0.02),
    zero: { dtype: 'I8', shape: [], data: Int8Array.of(3) },
  });
  const file = await expectAgreement(bytes);
  expect(file.notes.join()).toMatch(/quantised/);
  const state = new Map(file.state);
  const entry = file.bindings.find(({ value }) => value === 'k')!.entry;
  state.set(entry, drawn(4, 4, 1, 1));
  const out = rewriteOnnx(bytes, editsFor(file.graph, file, { state, classes: 4 }));
  const logits = await runOnnx(out, images);
  expect(difference(logits, evaluateModel(file.model, state, images).data)).toBeLessThan(1e-5);
});

test.each([
  [8, true],
  [9, false],
  [22, false],
  [23, true],
])('that opset %i is none that is read as it is meant is said: %s', async (opset, isSaid) => {
  const { notes } = await read(around([['Relu', ['a'], 'z']], {}, opset));
  expect(notes.some((note) => note.startsWith('Operators are read as opsets 9 to 22'))).toBe(isSaid);
});

test('layers that share a tensor may come apart', async () => {
  const middle: Node[] = [
    ['Conv', ['a', 'k'], 'c', { kernel_shape: [1, 1] }],
    ['Relu', ['c'], 'd'],
    ['Conv', ['d', 'k'], 'z', { kernel_shape: [1, 1] }],
  ];
  const bytes = around(middle, { k: drawn(4, 4, 1, 1) });
  const file = await expectAgreement(bytes);
  const entries = file.bindings.filter(({ value }) => value === 'k').map(({ entry }) => entry);
  const state = new Map(file.state);
  state.set(
    entries[1],
    floats(
      [4, 4, 1, 1],
      (drawn(4, 4, 1, 1).data as Float32Array).map((x) => x + 0.25),
    ),
  );
  const out = rewriteOnnx(bytes, editsFor(file.graph, file, { state, classes: 4 }));
  const logits = await runOnnx(out, images);
  expect(difference(logits, evaluateModel(file.model, state, images).data)).toBeLessThan(1e-5);
});

describe('external data', () => {
  /** The same file with its convolution's kernel in a file beside it. */
  function external(location: string, offset: number): Uint8Array<ArrayBuffer> {
    const proto = fromBinary(ModelProtoSchema, around([['Relu', ['a'], 'z']]));
    const kernel = proto.graph!.initializer.find(({ name }) => name === 'w')!;
    kernel.rawData = new Uint8Array();
    kernel.dataLocation = TensorProto_DataLocation.EXTERNAL;
    kernel.externalData = Object.entries({ location, offset, length: 4 * 108 }).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value: String(value) }),
    );
    return toBinary(ModelProtoSchema, proto) as Uint8Array<ArrayBuffer>;
  }
  const numbers = drawn(4, 3, 3, 3).data as Float32Array<ArrayBuffer>;
  const beside = { path: 'net.onnx.data', blob: new Blob([new Uint8Array(12), numbers]) };
  const open = (bytes: Uint8Array<ArrayBuffer>, ...files: { path: string; blob: Blob }[]) =>
    openWeights({ path: 'net.onnx', blob: new Blob([bytes]) }, ...files);

  test('is read from the file beside the model, and moves into it when its numbers change', async () => {
    const bytes = external('net.onnx.data', 12);
    const { onnx } = await open(bytes, beside);
    const file = importOnnx(onnx!.graph);
    const expected = await read(around([['Relu', ['a'], 'z']]));
    const answer = evaluateModel(file.model, file.state, images).data;
    expect(difference(evaluateModel(expected.model, expected.state, images).data, answer)).toBe(0);
    const state = new Map(file.state);
    const { entry } = file.bindings.find(({ value }) => value === 'w')!;
    state.set(
      entry,
      floats(
        [4, 3, 3, 3],
        numbers.map((x) => 2 * x),
      ),
    );
    const out = rewriteOnnx(bytes, editsFor(onnx!.graph, file, { state, classes: 4 }));
    const logits = await runOnnx(out, images);
    expect(difference(logits, evaluateModel(file.model, state, images).data)).toBeLessThan(1e-5);
  });

  test.each([
    ['../net.onnx.data', 12, /which is no file beside the model/],
    ['/etc/passwd', 0, /which is no file beside the model/],
    ['C:\\secret', 0, /which is no file beside the model/],
    ['other.data', 0, /is kept in "other\.data", which is not there: choose it together with the model/],
    ['net.onnx.data', 16, /ends at byte 448 of "net\.onnx\.data", which has 444/],
  ])('%s at %i is refused', async (location, offset, words) => {
    const error = await open(external(location, offset), beside).catch((e: Error) => e);
    expect(error).toMatchObject({ name: 'UserError', message: expect.stringMatching(words) });
  });
});

test('operators that are not read are named all at once, each where it first stands', async () => {
  const middle: Node[] = [
    ['LpNormalization', ['a'], 'c'],
    ['Cos', ['c'], 'd'],
    ['Cos', ['d'], 'z'],
  ];
  await expect(read(around(middle))).rejects.toThrow(
    /^net\.onnx has operators that no layer here stands for: LpNormalization "LpNormalization_1"; Cos "Cos_2" and 1 more\. docs\/onnx\.md lists/,
  );
});

test('nodes of known operators that are not read are named with them, but for those behind an unread one', async () => {
  const middle: Node[] = [
    ['Cos', ['a'], 'c'],
    ['Conv', ['c', 'k'], 'd'],
    ['Conv', ['a', 'k'], 'e'],
    ['Conv', ['a', 'k'], 'f'],
    ['Reshape', ['a', 's'], 'g'],
    ['Einsum', ['d', 'e', 'f', 'g'], 'z'],
  ];
  const graph = around(middle, { k: drawn(4, 5, 1, 1), s: integers(1, 7, -1) });
  const words = await read(graph).then(String, String);
  expect(words).toMatch(/no layer here stands for: Cos "Cos_1"; Einsum "Einsum_6"\. It also has nodes/);
  expect(words).toMatch(
    /not read here: Conv "Conv_3" \(and 1 more\) has a weight for 5 channels and reads 4[^;]*; Reshape "Reshape_5" [^;]*\. docs\/onnx\.md lists/,
  );
  expect(words).not.toContain('Conv_2');
});

describe('a file that cannot be is refused in words', () => {
  const refused: [string, Uint8Array<ArrayBuffer>, RegExp][] = [
    [
      'a value that nothing makes',
      around([['Relu', ['nothing'], 'z']]),
      /reads "nothing", which nothing before it makes/,
    ],
    [
      'a kernel for other channels',
      around([['Conv', ['a', 'k'], 'z']], { k: drawn(4, 5, 1, 1) }),
      /has a weight for 5 channels and reads 4/,
    ],
    [
      'a shape of other elements',
      around([['Reshape', ['a', 's'], 'z']], { s: integers(1, 7, -1) }),
      /cuts the image/,
    ],
    [
      'a constant of billions',
      around(
        [
          ['ConstantOfShape', ['s'], 'k'],
          ['Add', ['a', 'k'], 'z'],
        ],
        { s: integers(60_000, 60_000) },
      ),
      /ConstantOfShape/,
    ],
    [
      // 10,000 of a million numbers: minutes where each part looks at all of them
      'a constant in ever so many parts',
      around(
        [
          ['Split', ['k', 'sizes'], Array.from({ length: 10_000 }, (_, i) => `part${i}`).join(' ')],
          ['Add', ['a', 'part1'], 'z'],
        ],
        { k: floats([1e6], new Float32Array(1e6)), sizes: integers(1e6, ...Array<number>(9999).fill(0)) },
      ),
      /meets a constant of 0/,
    ],
    [
      'an axis that is not there',
      around([['Transpose', ['a'], 'z', { perm: [0, 1, 2, 9] }]]),
      /Transpose_1" does not fit what it reads|GlobalAveragePool/,
    ],
    [
      'a division of a shape by zero',
      around([['Reshape', ['a', 's'], 'z']], { s: integers(0, 0, -1, 0, 0, -1) }),
      /cuts the image/,
    ],
  ];
  test.each(refused)('%s', async (_, bytes, words) => {
    const error = await read(bytes).catch((e: Error) => e);
    expect(error).toMatchObject({ name: 'UserError', message: expect.stringMatching(words) });
  });

  test('bytes that are damaged anywhere', async () => {
    const bytes = around([['Relu', ['a'], 'z']]);
    const draw = uniforms(4, 'damage');
    for (let i = 0; i < 300; i++) {
      const damaged = bytes.slice();
      damaged[Math.floor(draw() * bytes.length)] = Math.floor(draw() * 256);
      const cut = i % 3 === 0 ? damaged.subarray(0, Math.floor(draw() * bytes.length)) : damaged;
      const error = await read(cut).catch((e: Error) => e);
      if (error instanceof Error)
        expect([i, error.name, error.stack]).toEqual([i, 'UserError', expect.anything()]);
    }
  });
});
