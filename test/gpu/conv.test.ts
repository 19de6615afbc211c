import { describe, test } from 'vitest';
import { NVIDIA_TUNING, type Tuning } from '../../src/graph/tuning';
import { add } from '../../src/ops/add';
import { type ConvAttributes, conv2d } from '../../src/ops/conv/conv2d';
import { conv2dGradients, conv2d as reference } from '../reference/conv2d';
import { draw } from './check-op';
import { expectClose, runCase, SHARING_TUNINGS, TUNINGS, WORKGROUP_TUNINGS } from './harness';

interface Shape {
  x: [n: number, c: number, h: number, w: number];
  co: number;
  kernel: [number, number];
  stride?: [number, number];
  padding?: [number, number];
  paddingEnd?: [number, number];
  dilation?: [number, number];
  groups?: number;
}

const attributes = (s: Shape): ConvAttributes => ({
  stride: s.stride ?? [1, 1],
  padding: s.padding ?? [0, 0],
  paddingEnd: s.paddingEnd,
  dilation: s.dilation ?? [1, 1],
  groups: s.groups ?? 1,
});

/** Results and gradients against float64; x is used twice, so that its gradient has an addend. */
async function check(s: Shape, tuning: Tuning): Promise<void> {
  const a = attributes(s);
  const inputs = {
    x: draw([...s.x]),
    weight: draw([s.co, s.x[1] / a.groups, ...s.kernel]),
    bias: draw([s.co]),
  };
  const y = reference(inputs, a);
  const douts = { y: draw(y.shape), twice: draw([...s.x]) };
  const gradients = conv2dGradients(inputs, douts.y, a);
  douts.twice.data.forEach((v, i) => {
    gradients.x.data[i] += 2 * v;
  });
  const got = await runCase(
    { inputs, outputs: { y, twice: inputs.x }, douts, wanted: ['x', 'weight', 'bias'], tuning },
    (g) => {
      const x = g.activation('x');
      g.output('y', conv2d(g.graph, 'y', x, g.weight('weight', a.groups), g.vector('bias'), a));
      g.output('twice', add(g.graph, 'twice', x, x));
    },
  );
  expectClose(got.get('out.y')!, y.data, 1e-5, 'y');
  for (const name of ['x', 'weight', 'bias'])
    expectClose(got.get(`grad.${name}`)!, gradients[name].data, 1e-5, `gradient of ${name}`);
}

const depthwise = (x: Shape['x'], kernel: Shape['kernel'], more: Partial<Shape> = {}): Shape => ({
  x,
  co: x[1],
  kernel,
  groups: x[1],
  ...more,
});

const title = (s: Shape) => [JSON.stringify(s).replace(/"/g, ''), s] as const;

describe.each(TUNINGS)('depthwise, cut for %s', (_, tuning) => {
  test.each(
    [
      depthwise([2, 6, 9, 11], [3, 3], { padding: [1, 1] }),
      depthwise([1, 4, 1, 1], [3, 3], { padding: [1, 1] }),
      depthwise([2, 5, 8, 8], [3, 3], { padding: [1, 1], stride: [2, 2] }),
      depthwise([1, 9, 7, 5], [3, 3], { stride: [2, 2] }),
      depthwise([2, 3, 9, 7], [3, 3], { padding: [1, 0], stride: [1, 2] }),
      depthwise([1, 3, 9, 10], [2, 3], { padding: [0, 2], stride: [3, 1] }),
      depthwise([1, 3, 9, 10], [2, 2], { stride: [3, 3] }),
      depthwise([2, 7, 4, 6], [1, 1]),
      depthwise([1, 4, 7, 9], [5, 5], { padding: [2, 2] }),
      depthwise([2, 4, 10, 9], [5, 5], { padding: [2, 2], stride: [2, 2] }),
      depthwise([1, 6, 9, 14], [7, 7], { padding: [3, 3] }),
      depthwise([1, 2, 9, 14], [7, 7], { padding: [3, 3], stride: [2, 2] }),
      depthwise([1, 3, 17, 15], [31, 31], { padding: [15, 15] }),
      depthwise([1, 3, 6, 23], [5, 21], { padding: [2, 10] }),
      depthwise([1, 3, 23, 6], [21, 5], { padding: [10, 2], stride: [2, 1] }),
      // padded on one side, as TensorFlow's "same", and farther than the kernel reaches
      depthwise([2, 5, 8, 10], [3, 3], { paddingEnd: [1, 1], stride: [2, 2] }),
      depthwise([1, 3, 5, 7], [5, 5], { padding: [3, 0], paddingEnd: [0, 7] }),
      depthwise([1, 2, 9, 6], [13, 13], { padding: [2, 6], paddingEnd: [9, 5] }),
      // more blocks than splits
      depthwise([1, 4800, 8, 8], [3, 3], { padding: [1, 1] }),
      depthwise([1, 3, 9, 9], [3, 3], { padding: [2, 2], dilation: [2, 2] }),
    ].map(title),
  )('%s', async (_, s) => check(s, tuning));
});

const pointwise = (x: Shape['x'], co: number): Shape => ({ x, co, kernel: [1, 1] });

describe.each([...TUNINGS, ...WORKGROUP_TUNINGS])('pointwise, cut for %s', (_, tuning) => {
  test.each(
    [
      pointwise([1, 3, 1, 1], 2),
      pointwise([2, 7, 3, 5], 9),
      pointwise([3, 16, 1, 1], 10),
      pointwise([1, 9, 11, 13], 24),
      pointwise([1, 42, 9, 8], 5),
      // one for each tile
      pointwise([1, 4, 48, 43], 10),
      pointwise([1, 9, 48, 43], 36),
      pointwise([1, 36, 61, 71], 33),
      pointwise([1, 12, 61, 71], 59),
    ].map(title),
  )('%s', async (_, s) => check(s, tuning));
});

test.each(SHARING_TUNINGS)('a weight gradient of many splits: %s', async (_, tuning) => {
  await check(pointwise([1, 5, 93, 95], 6), tuning);
});

describe.each([...TUNINGS, ...WORKGROUP_TUNINGS])('dense, cut for %s', (_, tuning) => {
  test.each(
    [
      { x: [2, 3, 9, 11], co: 6, kernel: [3, 3], padding: [1, 1] },
      { x: [1, 5, 1, 1], co: 3, kernel: [3, 3], padding: [1, 1] },
      { x: [2, 8, 8, 17], co: 9, kernel: [3, 3], padding: [1, 1], stride: [2, 2] },
      { x: [1, 3, 19, 18], co: 5, kernel: [7, 7], padding: [3, 3], stride: [2, 2] },
      { x: [1, 6, 9, 10], co: 4, kernel: [1, 1], stride: [2, 2] },
      { x: [1, 6, 9, 10], co: 7, kernel: [1, 1], padding: [1, 0] },
      { x: [1, 6, 3, 4], co: 7, kernel: [1, 1], paddingEnd: [1, 2] },
      { x: [2, 3, 8, 10], co: 5, kernel: [3, 3], paddingEnd: [1, 1], stride: [2, 2] },
      { x: [1, 4, 5, 6], co: 6, kernel: [3, 3], padding: [2, 0], paddingEnd: [0, 5] },
      { x: [2, 3, 8, 12], co: 5, kernel: [4, 4], stride: [4, 4] },
      // as large as the image
      { x: [5, 8, 3, 5], co: 7, kernel: [3, 5] },
      { x: [2, 6, 4, 4], co: 3, kernel: [4, 4], stride: [4, 4] },
      { x: [1, 4, 9, 8], co: 4, kernel: [2, 5], padding: [0, 2], stride: [3, 1] },
      { x: [1, 2, 7, 15], co: 3, kernel: [1, 11], padding: [0, 5], stride: [1, 2] },
      { x: [1, 7, 64, 65], co: 66, kernel: [2, 2] }, // enough pixels for two vec4s of channels a thread
      // channels enough for all taps of a kernel a thread
      { x: [5, 14, 7, 9], co: 18, kernel: [3, 3], padding: [1, 1] },
      { x: [1, 17, 9, 12], co: 6, kernel: [3, 3], padding: [1, 1], stride: [2, 2] },
      { x: [1, 13, 6, 5], co: 3, kernel: [2, 3], padding: [0, 2], stride: [1, 2] },
      { x: [1, 4, 9, 9], co: 6, kernel: [3, 3], padding: [2, 2], dilation: [2, 2] },
      { x: [2, 6, 5, 7], co: 9, kernel: [3, 3], padding: [1, 1], stride: [2, 1], groups: 3 },
    ].map((s) => title(s as Shape)),
  )('%s', async (_, s) => check(s, tuning));
});

/** Strides with which the taps that meet a pixel differ from one to the next. */
test.each(
  [
    { x: [2, 5, 11, 9], co: 6, kernel: [3, 3], padding: [1, 1], stride: [3, 3] },
    { x: [3, 9, 7, 9], co: 7, kernel: [2, 2], stride: [2, 2] },
    { x: [2, 6, 7, 8], co: 5, kernel: [1, 1], padding: [1, 0], stride: [2, 3] },
    { x: [1, 3, 21, 18], co: 4, kernel: [7, 7], padding: [3, 2], paddingEnd: [1, 4], stride: [4, 4] },
    { x: [1, 6, 13, 11], co: 9, kernel: [3, 3], padding: [0, 5], paddingEnd: [2, 0], stride: [4, 2] },
    { x: [2, 4, 10, 14], co: 5, kernel: [5, 6], padding: [4, 1], paddingEnd: [0, 3], stride: [2, 3] },
    { x: [1, 4, 5, 6], co: 3, kernel: [4, 4], padding: [7, 2], paddingEnd: [6, 9], stride: [3, 2] },
  ].map((s) => title(s as Shape)),
)('strided, by workgroup memory: %s', async (_, s) => check(s, WORKGROUP_TUNINGS[0][1]));

test('strided, by workgroup memory, in blocks of 128 pixels and more than one of each phase', async () => {
  const s: Shape = { x: [2, 20, 31, 29], co: 36, kernel: [3, 3], padding: [1, 1], stride: [2, 2] };
  await check(s, { ...NVIDIA_TUNING, sums: 8, threads: 256 });
});
