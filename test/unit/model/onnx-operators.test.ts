import { describe, expect, test } from 'vitest';
import type { OnnxAttribute, OnnxTensor } from '../../../src/io/onnx/graph';
import { floats } from '../../../src/io/tensor';
import { layerCosts } from '../../../src/model/layer-costs';
import { around, drawn, expectAgreement, file, integers, type Node, read, scalar } from '../../onnx-graph';

/** An operator between a convolution's `a` `[1, 4, 8, 8]` and a head: what it reads besides, its attributes, and the file's opset. */
type Case = [name: string, middle: Node[], tensors?: Record<string, OnnxTensor>, opset?: number];

const one = (op: string, attributes: Record<string, OnnxAttribute> = {}, ...more: string[]): Node[] => [
  [op, ['a', ...more], 'z', attributes],
];
const positive = floats([4], [0.5, 1, 1.5, 2]);
const positive4 = floats([1, 4, 1, 1], [0.5, 1, 1.5, 2]);
const index = (i: number): OnnxTensor => ({ ...integers(i), shape: [] });
const k3 = { k: drawn(4, 4, 3, 3) };

/** Makes `z` of an image `c`, other where its pixels or channels are in another order. */
const mixed: Node[] = [
  ['Conv', ['c', 'k'], 'm', { pads: [1, 1, 1, 1] }],
  ['Relu', ['m'], 'z'],
];
/** `a` of eight channels */
const eight = { w: drawn(8, 3, 3, 3), b: drawn(8) };

const READ: Case[] = [
  ['Conv padded below and right', one('Conv', { pads: [0, 0, 1, 1], strides: [2, 2] }, 'k'), k3],
  ['Conv padded above and left', one('Conv', { pads: [2, 1, 0, 0] }, 'k'), k3],
  ['Conv, SAME_UPPER, stride 2', one('Conv', { auto_pad: 'SAME_UPPER', strides: [2, 2] }, 'k'), k3],
  ['Conv, SAME_LOWER, stride 2', one('Conv', { auto_pad: 'SAME_LOWER', strides: [2, 2] }, 'k'), k3],
  ['Conv, SAME_UPPER, even kernel', one('Conv', { auto_pad: 'SAME_UPPER' }, 'k'), { k: drawn(4, 4, 2, 2) }],
  ['Conv, VALID', one('Conv', { auto_pad: 'VALID' }, 'k'), k3],
  [
    'depthwise Conv, SAME_UPPER',
    one('Conv', { auto_pad: 'SAME_UPPER', strides: [2, 2], group: 4 }, 'k'),
    { k: drawn(4, 1, 3, 3) },
  ],
  ['MaxPool, SAME_UPPER', one('MaxPool', { auto_pad: 'SAME_UPPER', kernel_shape: [3, 3], strides: [2, 2] })],
  ['MaxPool, SAME_LOWER', one('MaxPool', { auto_pad: 'SAME_LOWER', kernel_shape: [3, 3], strides: [2, 2] })],
  ['MaxPool padded above', one('MaxPool', { pads: [1, 1, 0, 0], kernel_shape: [3, 3], strides: [2, 2] })],
  [
    'AveragePool, SAME_UPPER',
    one('AveragePool', { auto_pad: 'SAME_UPPER', kernel_shape: [3, 3], strides: [2, 2] }),
  ],
  [
    'AveragePool over its padding',
    one('AveragePool', { pads: [0, 0, 1, 1], kernel_shape: [3, 3], strides: [2, 2], count_include_pad: 1 }),
  ],
  [
    'Pad before nothing but an activation',
    [
      ['Pad', ['a', 'sides'], 'c'],
      ['Relu', ['c'], 'z'],
    ],
    { sides: integers(0, 0, 1, 0, 0, 0, 2, 3) },
  ],
  [
    'Pad before a pool',
    [
      ['Pad', ['a', 'sides'], 'c'],
      ['AveragePool', ['c'], 'z', { kernel_shape: [2, 2], strides: [2, 2] }],
    ],
    { sides: integers(0, 0, 0, 1, 0, 0, 1, 1) },
  ],
  [
    'Sum of three activations',
    [
      ['Relu', ['a'], 'c'],
      ['Sigmoid', ['a'], 'd'],
      ['Sum', ['c', 'd', 'a'], 'z'],
    ],
  ],
  ['Sum of one', one('Sum')],
  [
    'Add of two activations',
    [
      ['Relu', ['a'], 'c'],
      ['Add', ['a', 'c'], 'z'],
    ],
  ],
  [
    'Sub of two activations',
    [
      ['Sigmoid', ['a'], 'c'],
      ['Sub', ['c', 'a'], 'z'],
    ],
  ],
  ['Sub of a constant a channel', one('Sub', {}, 's'), { s: drawn(1, 4, 1, 1) }],
  [
    'Mul of two activations',
    [
      ['Sigmoid', ['a'], 'c'],
      ['Tanh', ['a'], 'd'],
      ['Mul', ['c', 'd'], 'z'],
    ],
  ],
  ['Div by a constant a channel', one('Div', {}, 's'), { s: floats([1, 4, 1, 1], [0.5, 1, 1.5, 2]) }],
  [
    'Max of two activations',
    [
      ['Conv', ['a', 'k'], 'c', { pads: [1, 1, 1, 1] }],
      ['Max', ['a', 'c'], 'z'],
    ],
    k3,
  ],
  [
    'Min of two activations',
    [
      ['Conv', ['a', 'k'], 'c', { pads: [1, 1, 1, 1] }],
      ['Min', ['a', 'c'], 'z'],
    ],
    k3,
  ],
  ['Pow of two', one('Pow', {}, 'two'), { two: scalar(2) }],
  ['GlobalMaxPool', one('GlobalMaxPool')],
  ['ReduceMean by attribute', one('ReduceMean', { axes: [2, 3] })],
  ['ReduceMean by input', one('ReduceMean', {}, 'axes'), { axes: integers(-2, -1) }, 18],
  ['ReduceSum over all pixels', one('ReduceSum', {}, 'axes'), { axes: integers(2, 3) }],
  ['ReduceMax over all pixels', one('ReduceMax', { axes: [2, 3] })],
  [
    'Split and Concat',
    [
      ['Slice', ['a', 'zero', 'two', 'c'], 'd'],
      ['Slice', ['a', 'two', 'four', 'c'], 'e'],
      ['Concat', ['e', 'd'], 'z', { axis: 1 }],
    ],
    { zero: integers(0), two: integers(2), four: integers(4), c: integers(1) },
  ],
  [
    'Slice of every second pixel',
    one('Slice', {}, 'zero', 'end', 'axes', 'steps'),
    { zero: integers(0, 0), end: integers(8, 8), axes: integers(2, 3), steps: integers(2, 2) },
  ],
  [
    'Slice of every second pixel, twice',
    [
      ['Slice', ['a', 'zero', 'end', 'axes', 'steps'], 'd'],
      ['Slice', ['d', 'zero', 'end', 'axes', 'steps'], 'c'],
      ...mixed,
    ],
    { zero: integers(0, 0), end: integers(8, 8), axes: integers(2, 3), steps: integers(2, 2), ...k3 },
  ],
  ...(
    [
      ['channels', ['Slice', ['e', 'one', 'three', 'c1'], 'c']],
      ['channels of zeros', ['Pad', ['e', 'beside'], 'c']],
    ] satisfies [string, Node][]
  ).map(
    ([what, last], i): Case => [
      `Slice of every second pixel, zeros around it, then ${what}`,
      [['Slice', ['a', 'zero', 'end', 'axes', 'steps'], 'd'], ['Pad', ['d', 'sides'], 'e'], last, ...mixed],
      {
        ...{ zero: integers(0, 0), end: integers(8, 8), axes: integers(2, 3), steps: integers(2, 2) },
        ...{ sides: integers(0, 0, 1, 1, 0, 0, 1, 1), beside: integers(0, 1, 0, 0, 0, 2, 0, 0) },
        ...{ one: integers(1), three: integers(3), c1: integers(1), k: drawn(4, [2, 7][i], 3, 3) },
      },
    ],
  ),
  [
    'BatchNormalization',
    one('BatchNormalization', { epsilon: 1e-3 }, 's', 't', 'm', 'v'),
    { s: drawn(4), t: drawn(4), m: drawn(4), v: positive },
  ],
  [
    'InstanceNormalization',
    one('InstanceNormalization', { epsilon: 1e-3 }, 's', 't'),
    { s: drawn(4), t: drawn(4) },
  ],
  [
    'GroupNormalization, a scale a group',
    one('GroupNormalization', { num_groups: 2, epsilon: 1e-4 }, 's', 't'),
    { s: drawn(2), t: drawn(2) },
    18,
  ],
  [
    'GroupNormalization, a scale a channel',
    one('GroupNormalization', { num_groups: 2 }, 's', 't'),
    { s: drawn(4), t: drawn(4) },
    21,
  ],
  [
    'group norm as PyTorch writes it',
    [
      ['Reshape', ['a', 'apart'], 'c'],
      ['InstanceNormalization', ['c', 'ones', 'zeros'], 'd', { epsilon: 1e-5 }],
      ['Shape', ['a'], 'e'],
      ['Reshape', ['d', 'e'], 'together'],
      ['Mul', ['together', 's'], 'g'],
      ['Add', ['g', 't'], 'z'],
    ],
    {
      apart: integers(0, 2, -1),
      ones: floats([2], [1, 1]),
      zeros: floats([2], [0, 0]),
      s: drawn(4, 1, 1),
      t: drawn(4, 1, 1),
    },
  ],
  ['Resize by two', one('Resize', { mode: 'nearest' }, '', 'by'), { by: floats([4], [1, 1, 2, 2]) }],
  [
    'Resize to a size',
    one(
      'Resize',
      { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
      '',
      '',
      'to',
    ),
    { to: integers(1, 4, 24, 16) },
  ],
  ...(['DCR', 'CRD'] as const).map(
    (mode): Case => [
      `DepthToSpace of mode ${mode}`,
      [['DepthToSpace', ['a'], 'c', { blocksize: 2, mode }], ...mixed],
      { ...eight, k: drawn(4, 2, 3, 3) },
    ],
  ),
  ['SpaceToDepth', [['SpaceToDepth', ['a'], 'c', { blocksize: 2 }], ...mixed], { k: drawn(4, 16, 3, 3) }],
  [
    'SpaceToDepth of one channel, back again',
    [
      ['Conv', ['a', 'gray'], 'e'],
      ['SpaceToDepth', ['e'], 'g', { blocksize: 4 }],
      ['DepthToSpace', ['g'], 'c', { blocksize: 2 }],
      ...mixed,
    ],
    { gray: drawn(1, 4, 1, 1), k: drawn(4, 4, 3, 3) },
  ],
  [
    'blocks as channels by Reshape and Transpose, channels before their places',
    [
      ['Reshape', ['a', 'apart'], 'e'],
      ['Transpose', ['e'], 'g', { perm: [0, 1, 3, 5, 2, 4] }],
      ['Reshape', ['g', 'together'], 'c'],
      ...mixed,
    ],
    { apart: integers(1, 4, 4, 2, 4, 2), together: integers(1, 16, 4, 4), k: drawn(4, 16, 3, 3) },
  ],
  [
    'blocks as channels by Reshape and Transpose, channels last',
    [
      ['Transpose', ['a'], 'l', { perm: [0, 2, 3, 1] }],
      ['Reshape', ['l', 'apart'], 'e'],
      ['Transpose', ['e'], 'g', { perm: [0, 1, 3, 4, 2, 5] }],
      ['Reshape', ['g', 'together'], 'd'],
      ['Transpose', ['d'], 'c', { perm: [0, 3, 1, 2] }],
      ...mixed,
    ],
    { apart: integers(1, 4, 2, 4, 2, 4), together: integers(1, 4, 4, 16), k: drawn(4, 16, 3, 3) },
  ],
  ...(
    [
      ['by rows', [0, 0, 1, 1], [0, 1, 0, 1]],
      ['by columns', [0, 1, 0, 1], [0, 0, 1, 1]],
    ] as const
  ).map(
    ([name, tops, lefts]): Case => [
      `every other row and column side by side, ${name}`,
      [
        ...[0, 1, 2, 3].flatMap((i): Node[] => [
          ['Slice', ['a', `at${tops[i]}`, 'end', 'rows', 'two'], `r${i}`],
          ['Slice', [`r${i}`, `at${lefts[i]}`, 'end', 'columns', 'two'], `p${i}`],
        ]),
        ['Concat', ['p0', 'p1', 'p2', 'p3'], 'c', { axis: 1 }],
        ...mixed,
      ],
      {
        ...{ at0: integers(0), at1: integers(1), two: integers(2), end: integers(2 ** 31 - 1) },
        ...{ rows: integers(2), columns: integers(3), k: drawn(4, 16, 3, 3) },
      },
    ],
  ),
  [
    'Split of a constant',
    [
      ['Split', ['both'], 's t', { axis: 1 }],
      ['Mul', ['a', 's'], 'c'],
      ['Add', ['c', 't'], 'z'],
    ],
    { both: drawn(4, 2, 1) },
    11,
  ],
  ['Max with a number', one('Max', {}, 'low'), { low: scalar(-0.3) }],
  ['Min with a number', one('Min', {}, 'high'), { high: scalar(0.2) }],
  ['Clip on one side', one('Clip', {}, 'low'), { low: scalar(0.1) }],
  [
    'Concat with zeros on both sides',
    [['Concat', ['zeros', 'a', 'more'], 'c', { axis: 1 }], ...mixed],
    {
      zeros: floats([1, 1, 8, 8], Array(64).fill(0)),
      more: floats([1, 2, 8, 8], Array(128).fill(0)),
      k: drawn(4, 7, 3, 3),
    },
  ],
  [
    'Concat with zeros, channels last',
    [
      ['Transpose', ['a'], 'l', { perm: [0, 2, 3, 1] }],
      ['Concat', ['l', 'zeros'], 'm', { axis: 3 }],
      ['Transpose', ['m'], 'c', { perm: [0, 3, 1, 2] }],
      ['Conv', ['c', 'k'], 'e', { pads: [1, 1, 1, 1] }],
      ['Relu', ['e'], 'z'],
    ],
    { zeros: floats([1, 8, 8, 2], Array(128).fill(0)), k: drawn(4, 6, 3, 3) },
  ],
  ['Upsample', one('Upsample', { mode: 'nearest' }, 'by'), { by: floats([4], [1, 1, 2, 3]) }, 9],
  [
    'Identity, Dropout and Cast',
    [
      ['Identity', ['a'], 'c'],
      ['Dropout', ['c'], 'd'],
      ['Cast', ['d'], 'z', { to: 1 }],
    ],
  ],
  ['HardSwish', one('HardSwish')],
  ...(
    [
      [0, 20],
      [-20, 20],
      [-0.5, 0.25],
    ] as const
  ).map(
    ([low, high]): Case => [
      `Clip of large numbers from ${low} to ${high}`,
      [
        ['Mul', ['a', 'hundred'], 'c'],
        ['Clip', ['c', 'low', 'high'], 'z'],
      ],
      { hundred: scalar(100), low: scalar(low), high: scalar(high) },
    ],
  ),
  ['Gather of some channels', one('Gather', { axis: 1 }, 'i'), { i: integers(3, 1, 1, -4) }],
  [
    'Gather of one channel each, as torchvision renormalises the image of its Inceptions',
    [
      ['Gather', ['a', 'two'], 'c', { axis: 1 }],
      ['Gather', ['a', 'zero'], 'd', { axis: 1 }],
      ['Unsqueeze', ['c', 'axis'], 'e'],
      ['Unsqueeze', ['d', 'axis'], 'k'],
      ['Mul', ['e', 'half'], 'g'],
      ['Add', ['g', 'half'], 'h'],
      ['Concat', ['h', 'k', 'h', 'k'], 'z', { axis: 1 }],
    ],
    { two: index(2), zero: index(0), axis: integers(1), half: scalar(0.5) },
  ],
  [
    'Slice of all channels, the last first',
    one('Slice', {}, 'start', 'end', 'axis', 'by'),
    { start: integers(-1), end: integers(-(2 ** 40)), axis: integers(1), by: integers(-1) },
  ],
  [
    'Tile of channels',
    [
      ['Slice', ['a', 'two', 'four', 'axis'], 'c'],
      ['Tile', ['c', 'times'], 'z'],
    ],
    { two: integers(2), four: integers(4), axis: integers(1), times: integers(1, 2, 1, 1) },
  ],
  [
    'Expand of a gate to the image that it meets',
    [
      ['GlobalAveragePool', ['a'], 'c'],
      ['Sigmoid', ['c'], 'd'],
      ['Shape', ['a'], 'shape'],
      ['Expand', ['d', 'shape'], 'e'],
      ['Mul', ['a', 'e'], 'z'],
    ],
  ],
  [
    'group norm of one group as PyTorch writes it',
    [
      ['Reshape', ['a', 'apart'], 'c'],
      ['InstanceNormalization', ['c', 'one', 'none'], 'd', { epsilon: 1e-5 }],
      ['Shape', ['a'], 'e'],
      ['Reshape', ['d', 'e'], 'z'],
    ],
    { apart: integers(0, 1, -1), one: floats([1], [1]), none: floats([1], [0]) },
  ],
  [
    'Squeeze and Unsqueeze',
    [
      ['GlobalAveragePool', ['a'], 'c'],
      ['Squeeze', ['c', 'axes'], 'd'],
      ['Unsqueeze', ['d', 'axes'], 'z'],
    ],
    { axes: integers(2, 3) },
  ],
];

describe('an operator is read, and answers as in onnxruntime', () => {
  test.each(READ)('%s', async (_, middle, tensors, opset) => {
    await expectAgreement(around(middle, tensors, opset));
  });
});

test('a graph of any size takes images of the size that its layers were read for, and no others', async () => {
  const bytes = around(one('GlobalMaxPool'), {}, 17, ['batch', 3, 'height', 'width']);
  const { model, size } = await read(bytes);
  expect([model.input.sides, size]).toEqual([[224, 224], 224]);
  expect(() => layerCosts(model, 64, 64)).toThrow(
    /has layers for images of 224 x 224 pixels alone, not 64 x 64/,
  );
  const free = await read(around(one('GlobalAveragePool'), {}, 17, ['batch', 3, 'height', 'width']));
  expect(layerCosts(free.model, 64, 64).get(1)!.shape).toEqual([64, 64, 4]);
});

test('a graph whose layers are for its own size takes no other, and one that leaves pixels says so', async () => {
  const flattened = (height: number, width: number) =>
    file(
      [
        ['Conv', ['x', 'w'], 'a', { pads: [1, 1, 1, 1] }],
        ['Flatten', ['a'], 'f', { axis: 1 }],
        ['Gemm', ['f', 'fc.weight', 'fc.bias'], 'y', { transB: 1 }],
      ],
      { w: drawn(2, 3, 3, 3), 'fc.weight': drawn(4, 2 * height * width), 'fc.bias': drawn(4) },
      17,
      [1, 3, height, width],
    );
  const { model } = await expectAgreement(flattened(8, 8));
  expect(() => layerCosts(model, 12, 12)).toThrow(/layers for images of 8 x 8 pixels alone, not 12 x 12/);
  await expect(read(flattened(6, 8))).rejects.toThrow(
    /has layers for images of 6 x 8 pixels alone, and images are square here/,
  );
  const open = await read(
    file(
      [
        ['Conv', ['x', 'w'], 'a', { pads: [1, 1, 1, 1] }],
        ['MaxPool', ['a'], 'p', { kernel_shape: [8, 8], strides: [8, 8] }],
        ['Flatten', ['p'], 'f', { axis: 1 }],
        ['Gemm', ['f', 'fc.weight', 'fc.bias'], 'y', { transB: 1 }],
      ],
      { w: drawn(2, 3, 3, 3), 'fc.weight': drawn(4, 2), 'fc.bias': drawn(4) },
    ),
  );
  expect(() => layerCosts(open.model, 16, 16)).toThrow(
    /answers an image of 16 x 16 pixels 2 x 2 times: it is for images of another size/,
  );
  const wide = await read(around(one('Relu'), {}, 17, [1, 3, 6, 8]));
  expect(wide.notes.join()).toMatch(/takes images of 6 x 8 pixels, and images are square here/);
});

test('a file whose numbers are all in its nodes is read as far as its operators are', async () => {
  const bytes = file([['LRN', ['x'], 'y', { size: 3 }]], {});
  await expect(read(bytes)).rejects.toThrow(/no layer here stands for: LRN "LRN_0"/);
});

/** Operators that a file may have and no layer stands for, and what is said of them. */
const REFUSED: [name: string, words: RegExp, middle: Node[], tensors?: Record<string, OnnxTensor>][] = [
  ['ConvTranspose', /no layer here stands for: ConvTranspose/, one('ConvTranspose', {}, 'k'), k3],
  [
    'Resize by one and a half',
    /makes 8 x 8 pixels to 12 x 12, otherwise than by repeating each/,
    one('Resize', {}, '', 'by'),
    { by: floats([4], [1, 1, 1.5, 1.5]) },
  ],
  [
    'Resize by lines',
    /is of the mode linear, and nearest alone is read here/,
    one('Resize', { mode: 'linear' }, '', 'by'),
    { by: floats([4], [1, 1, 2, 2]) },
  ],
  [
    'DepthToSpace of other channels',
    /has blocks of 3 x 3 pixels, which do not fit what it reads/,
    one('DepthToSpace', { blocksize: 3 }),
  ],
  ['DepthToSpace of no size', /has blocks of 0 x 0 pixels/, one('DepthToSpace')],
  ['SpaceToDepth of other sides', /has blocks of 5 x 5 pixels/, one('SpaceToDepth', { blocksize: 5 })],
  [
    'one part of the image',
    /reads a part of an image, which is not read here/,
    one('Slice', {}, 'one', 'end', 'rows', 'two'),
    { one: integers(1), two: integers(2), rows: integers(2), end: integers(99) },
  ],
  [
    'Conv of rows that were cut before an activation',
    /Conv "Conv_\d+" reads a tensor of 1 x 4 x 16 x 4, which is no image of channels/,
    [
      ['Reshape', ['a', 'cut'], 'd'],
      ['Relu', ['d'], 'c'],
      ['Conv', ['c', 'k'], 'z'],
    ],
    { cut: integers(1, 4, 16, 4), ...k3 },
  ],
  [
    'Div of two activations',
    /divides activations by each other/,
    [
      ['Sigmoid', ['a'], 'c'],
      ['Div', ['a', 'c'], 'z'],
    ],
  ],
  [
    'a constant divided',
    /divides a constant by an activation/,
    [
      ['Sigmoid', ['a'], 'c'],
      ['Div', ['s', 'c'], 'z'],
    ],
    { s: positive4 },
  ],
  ['Pow of two and a half', /takes a power of 2.5/, one('Pow', {}, 'e'), { e: scalar(2.5) }],
  ['Softmax of pixels', /is a softmax over more than classes/, one('Softmax', { axis: 1 })],
  [
    'Pad that repeats',
    /repeats pixels at the edge/,
    one('Pad', { mode: 'reflect' }, 'sides'),
    { sides: integers(0, 0, 1, 1, 0, 0, 1, 1) },
  ],
  [
    'Slice of rows',
    /cuts out a part of the image/,
    one('Slice', {}, 'from', 'to', 'axis'),
    { from: integers(1), to: integers(7), axis: integers(2) },
  ],
  [
    'Expand of what a convolution reads',
    /Expand "Expand_\d+" repeats an activation, which is read only where it multiplies an image/,
    [
      ['GlobalAveragePool', ['a'], 'c'],
      ['Shape', ['a'], 'shape'],
      ['Expand', ['c', 'shape'], 'd'],
      ['Conv', ['d', 'k'], 'z'],
    ],
    k3,
  ],
  ['Tile of pixels', /repeats more than channels/, one('Tile', {}, 'times'), { times: integers(1, 1, 2, 1) }],
  [
    'Gather of channels that are not there',
    /picks channels that are not among its 4/,
    one('Gather', { axis: 1 }, 'i'),
    { i: integers(0, 7) },
  ],
  ['Gather of rows', /picks images or pixels/, one('Gather', { axis: 2 }, 'i'), { i: integers(0, 7) }],
  [
    'Conv of no stride',
    /has strides of 0 x 0, which must be 1 or more/,
    one('Conv', { strides: [0, 0] }, 'k'),
    k3,
  ],
  [
    'Conv that reaches beyond its image',
    /would make an image of -2 x -2 pixels/,
    one('Conv', { dilations: [5, 5] }, 'k'),
    k3,
  ],
  [
    'Conv of endless padding',
    /would make an image of 2000000006 x 2000000006 pixels/,
    one('Conv', { pads: [1e9, 1e9, 1e9, 1e9] }, 'k'),
    k3,
  ],
  [
    'MaxPool larger than its image',
    /would make an image of 0 x 0 pixels/,
    one('MaxPool', { kernel_shape: [9, 9] }),
  ],
  ['Conv of one dimension', /has a weight of 3 dimensions/, one('Conv', {}, 'k'), { k: drawn(4, 4, 3) }],
  [
    'ReduceMean over channels',
    /takes a mean over more or less than all pixels/,
    one('ReduceMean', { axes: [1] }),
  ],
  [
    'Concat of pixels',
    /joins activations otherwise than by their channels/,
    [['Concat', ['a', 'a'], 'z', { axis: 2 }]],
  ],
];

describe('an operator is refused in words', () => {
  test.each(REFUSED)('%s', async (_, words, middle, tensors) => {
    const error = await read(around(middle, tensors)).catch((e: Error) => e);
    expect(error).toMatchObject({ name: 'UserError', message: expect.stringMatching(words) });
  });
});
