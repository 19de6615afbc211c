import { describe, expect, test } from 'vitest';
import { compile } from '../../src/graph/compile';
import { Graph } from '../../src/graph/graph';
import { GPU_TUNING, SOFTWARE_TUNING, type Tuning } from '../../src/graph/tuning';
import { type Layout, weightLayout } from '../../src/model/layout';
import type { Activation } from '../../src/ops/activation';
import type { BlockGrid } from '../../src/ops/blocks';
import { convFamily, convOps } from '../../src/ops/conv/conv2d';
import type { ConvTensors, FusedConvAttributes } from '../../src/ops/conv/family';
import type { CaseGraph } from '../../src/verify/case';
import { activation } from '../reference/activation';
import { conv2d, conv2dGradients } from '../reference/conv2d';
import { type Values, zeros } from '../reference/values';
import { draw } from './check-op';
import { expectClose, runCase, TUNINGS, WORKGROUP_TUNINGS } from './harness';

interface FusedShape {
  x: [n: number, c: number, h: number, w: number];
  co: number;
  kernel: [number, number];
  stride: [number, number];
  padding: [number, number];
  groups: number;
  activation: Activation;
}

const pad4 = (n: number) => (n + 3) & ~3;
const channel = ({ shape: [, C, H, W] }: Values, i: number) => Math.floor(i / (H * W)) % C;

/** Rows of per-channel coefficients as they lie in memory, one after the other, padded. */
function packed(...rows: Values[]): Values {
  const data = rows.flatMap(({ data }) => [...data, ...Array(pad4(data.length) - data.length).fill(0)]);
  return { shape: [data.length], data: Float64Array.from(data) };
}

/** scale * v + shift by channel. */
const affine = (v: Values, scale: Values, shift: Values): Values => ({
  shape: v.shape,
  data: v.data.map((d, i) => scale.data[channel(v, i)] * d + shift.data[channel(v, i)]),
});

/** The derivative of an activation at each of v, by central differences. */
function derivative(kind: Activation, v: Values): Float64Array {
  const h = 1e-6;
  const at = (step: number) => activation(kind, { shape: v.shape, data: v.data.map((d) => d + step) }).data;
  const [above, below] = [at(h), at(-h)];
  return above.map((d, i) => (d - below[i]) / (2 * h));
}

/** Sums by channel. */
function sums(v: Values, f: (d: number, i: number) => number): Float64Array {
  const out = zeros(v.shape[1]).data;
  v.data.forEach((d, i) => {
    out[channel(v, i)] += f(d, i);
  });
  return out;
}

/** What a case draws, and what must come of it in float64. */
function drawCase(s: FusedShape) {
  const attrs = { stride: s.stride, padding: s.padding, dilation: [1, 1], groups: s.groups } as const;
  const a: FusedConvAttributes = { ...attrs, dilation: [1, 1] };
  const vector = (n: number) => draw([n]);
  const raw = draw([...s.x]);
  const weight = draw([s.co, s.x[1] / s.groups, ...s.kernel]);
  const [mean, rstd, scale, shift] = Array.from({ length: 4 }, () => vector(s.x[1]));
  const x = activation(s.activation, affine(raw, scale, shift));
  const y = conv2d({ x, weight, bias: vector(s.co) }, a);
  return { a, raw, weight, mean, rstd, scale, shift, x, shapeOfY: y.shape, vector };
}

const partialLayout = (blocks: number, channels: number): Layout => ({
  view: [blocks, 2, channels],
  order: [0, 1, 2],
  padded: [blocks, 2, pad4(channels)],
});

/** Merges per-block (mean, M2) by the counts that the grid tells (Chan, Golub, LeVeque 1979). */
function merged(partial: Float32Array, grid: BlockGrid, channels: number): [number[], number[]] {
  const across = Math.ceil(grid.columns / grid.columnsPerBlock);
  const down = Math.ceil(grid.rows / grid.rowsPerBlock);
  const [mean, m2] = [Array(channels).fill(0), Array(channels).fill(0)];
  let count = 0;
  for (let b = 0; b < grid.count; b++) {
    const rows = Math.min(grid.rowsPerBlock, grid.rows - (Math.floor(b / across) % down) * grid.rowsPerBlock);
    const columns = Math.min(grid.columnsPerBlock, grid.columns - (b % across) * grid.columnsPerBlock);
    for (let c = 0; c < channels; c++) {
      const delta = partial[b * 2 * channels + c] - mean[c];
      const share = (rows * columns) / (count + rows * columns);
      mean[c] += delta * share;
      m2[c] += partial[(b * 2 + 1) * channels + c] + delta * delta * count * share;
    }
    count += rows * columns;
  }
  return [mean, m2];
}

async function checkForward(s: FusedShape, tuning: Tuning): Promise<void> {
  const { a, raw, weight, mean, rstd, scale, shift, x, vector } = drawCase(s);
  const bias = vector(s.co);
  const y = conv2d({ x, weight, bias }, a);
  let grid: BlockGrid | undefined;
  const inputs = { x: raw, weight, bias, coef: packed(mean, rstd, scale, shift) };
  const got = await runCase({ inputs, outputs: { y }, tuning }, (g) => {
    const attrs = { ...a, activation: s.activation };
    const [xt, w] = [g.activation('x'), g.weight('weight', s.groups)];
    const yt = g.graph.tensor('y', [y.shape[0], y.shape[2], y.shape[3], y.shape[1]]);
    const t: ConvTensors = { x: xt, w, y: yt, attrs };
    grid = convFamily(t, tuning).outputBlocks!(t, tuning);
    const partial = g.graph.tensor('partial', [grid.count, 2, s.co]);
    const tensors = { x: xt, w, bias: g.vector('bias'), coef: g.vector('coef') };
    g.graph.add(convOps.forward, 'y', tensors, { y: yt, partial }, attrs);
    g.output('y', yt);
    g.output('partial', partial, partialLayout(grid.count, s.co));
  });
  expectClose(got.get('out.y')!, y.data, 1e-5, 'y');
  const count = y.data.length / s.co;
  const mu = sums(y, (d) => d / count);
  const m2 = sums(y, (d, i) => (d - mu[channel(y, i)]) ** 2);
  const [gotMean, gotM2] = merged(got.get('out.partial')!, grid!, s.co);
  expectClose(gotMean, mu, 1e-5, 'mean');
  expectClose(gotM2, m2, 1e-5, 'M2');
}

/** Both backward nodes, with the batch norm behind the convolution and (`before`) with the one before it. */
async function checkBackward(s: FusedShape, tuning: Tuning, before: boolean): Promise<void> {
  const { a, raw, weight, mean, rstd, scale, shift, x: activated, shapeOfY, vector } = drawCase(s);
  const x = before ? activated : raw;
  const g = draw(shapeOfY);
  const yRaw = draw(shapeOfY);
  const [A, B, C] = Array.from({ length: 3 }, () => vector(s.co));
  const dy = { shape: g.shape, data: g.data.map((v, i) => A.data[channel(g, i)] * v) };
  affine(yRaw, B, C).data.forEach((v, i) => {
    dy.data[i] += v;
  });
  const addend = draw([...s.x]);
  const expected = conv2dGradients({ x, weight }, dy, a);
  const slope = before ? derivative(s.activation, affine(raw, scale, shift)) : undefined;
  const dx: Values = {
    shape: raw.shape,
    data: expected.x.data.map((v, i) => (v + addend.data[i]) * (slope?.[i] ?? 1)),
  };
  const rows = before ? [mean, rstd, scale, shift, A, B, C] : [A, B, C];
  const inputs = { x: raw, weight, g, yRaw, addend, coef: packed(...rows) };
  let blocks = 0;
  const got = await runCase({ inputs, outputs: { dx, dw: weight }, tuning }, (c: CaseGraph) => {
    const attrs: FusedConvAttributes = before ? { ...a, activation: s.activation } : a;
    const [xt, w, dyt, coef] = [
      c.activation('x'),
      c.weight('weight', s.groups),
      c.activation('g'),
      c.vector('coef'),
    ];
    const yRawT = c.activation('yRaw');
    const [dxt, dw] = [c.graph.tensor('dx', xt.shape), c.graph.tensor('dw', w.shape, { padded: w.padded })];
    const t: ConvTensors = { x: xt, w, y: dyt, attrs };
    blocks = convFamily(t, tuning).inputBlocks!(t, tuning);
    const partial = c.graph.tensor('partial', [blocks, 2, s.x[1]]);
    const gradient = { dy: dyt, coef, yRaw: yRawT };
    c.graph.add(
      convOps.backwardInput,
      'dx',
      { ...gradient, w, addend: c.activation('addend'), xRaw: before ? xt : undefined },
      { dx: dxt, partial: before ? partial : undefined },
      attrs,
    );
    c.graph.add(convOps.backwardWeight, 'dw', { x: xt, ...gradient }, { dw }, attrs);
    c.output('dx', dxt);
    c.output('dw', dw, weightLayout(weight.shape, s.groups));
    c.output('dw in memory', dw, { view: w.padded, order: [0, 1, 2, 3], padded: w.padded });
    if (before) c.output('partial', partial, partialLayout(blocks, s.x[1]));
  });
  expectClose(got.get('out.dx')!, dx.data, 1e-5, 'dx');
  expectClose(got.get('out.dw')!, expected.weight.data, 1e-5, 'dw');
  const inMemory = got.get('out.dw in memory')!;
  const [ip, op] = [s.groups === 1 ? pad4(s.x[1]) : 1, pad4(s.co)];
  const padding = inMemory.filter(
    (_, j) => j % op >= s.co || (s.groups === 1 && Math.floor(j / op) % ip >= s.x[1]),
  );
  expect(padding.every((v) => v === 0)).toBe(true);
  if (!before) return;
  const partial = got.get('out.partial')!;
  const total = (row: 0 | 1) =>
    Array.from({ length: s.x[1] }, (_, c) => {
      let sum = 0;
      for (let b = 0; b < blocks; b++) sum += partial[(b * 2 + row) * s.x[1] + c];
      return sum;
    });
  const xhat = (i: number) => (raw.data[i] - mean.data[channel(raw, i)]) * rstd.data[channel(raw, i)];
  expectClose(
    total(0),
    sums(dx, (d) => d),
    2e-5,
    'sum g',
  );
  expectClose(
    total(1),
    sums(dx, (d, i) => d * xhat(i)),
    2e-5,
    'sum g * xhat',
  );
}

const shape = (
  x: FusedShape['x'],
  co: number,
  k: number,
  more: Partial<FusedShape> = {},
): readonly [string, FusedShape] => {
  const p = (k - 1) >> 1;
  const s: FusedShape = {
    x,
    co,
    kernel: [k, k],
    stride: [1, 1],
    padding: [p, p],
    groups: 1,
    activation: 'relu6',
    ...more,
  };
  return [JSON.stringify(s).replace(/"/g, ''), s];
};

const SHAPES = [
  shape([2, 6, 9, 7], 6, 3, { groups: 6 }),
  shape([1, 3, 8, 9], 3, 3, { groups: 3, stride: [2, 2], activation: 'sigmoid' }),
  shape([1, 5, 9, 10], 5, 7, { groups: 5, stride: [1, 2], activation: 'hardswish' }),
  shape([3, 6, 5, 5], 9, 1, { activation: 'sigmoid' }),
  shape([1, 3, 37, 2], 4, 1, { activation: 'none' }),
  shape([1, 21, 13, 22], 24, 1),
  shape([2, 6, 9, 11], 5, 3, { activation: 'sigmoid' }),
  shape([1, 5, 8, 7], 3, 3, { stride: [2, 2] }),
  // channels enough for all taps of a kernel a thread
  shape([2, 14, 6, 7], 13, 3, { activation: 'sigmoid' }),
  // some pixels meet no tap
  shape([2, 9, 10, 13], 5, 4, { kernel: [2, 4], stride: [3, 2], activation: 'sigmoid' }),
];

/** What autotune may try at either end, besides. */
const ALL_TUNINGS = [
  ...TUNINGS,
  ['the smallest tiles', { ...GPU_TUNING, sums: 4, threads: 65536 }],
  ['the largest tiles', { ...SOFTWARE_TUNING, sums: 64, threads: 256 }],
] as const;

/** Convolutions of several groups have no variants for workgroup memory. */
const PRODUCT_TUNINGS = [
  ...ALL_TUNINGS,
  ...WORKGROUP_TUNINGS,
  [
    'the largest tiles, by workgroup memory',
    { ...SOFTWARE_TUNING, sums: 64, threads: 256, workgroupMemory: true },
  ],
] as const;

const CASES = SHAPES.flatMap(([title, s]) =>
  ((s.groups ?? 1) === 1 ? PRODUCT_TUNINGS : ALL_TUNINGS).map(
    ([name, tuning]) => [title, name, s, tuning] as const,
  ),
);

describe.each(CASES)('batch norms around %s, cut for %s', (_title, _name, s, tuning) => {
  test('forward: scale, shift and activation of x, mean and M2 of y', () => checkForward(s, tuning));
  test('backward: the gradient through the norm behind', () => checkBackward(s, tuning, false));
  test('backward: through both norms, with the sums of the one before', () => checkBackward(s, tuning, true));
});

test('the direct shaders refuse what they cannot fuse', () => {
  const attrs: FusedConvAttributes = { stride: [1, 1], padding: [0, 0], dilation: [2, 2], groups: 1 };
  const g = new Graph();
  const [x, w, y] = [
    [1, 8, 8, 4],
    [3, 3, 4, 4],
    [1, 4, 4, 4],
  ].map((shape, i) => g.tensor(`t${i}`, shape));
  const partial = g.tensor('partial', [1, 2, 4]);
  expect(convFamily({ x, w, y, attrs }, GPU_TUNING).outputBlocks).toBeUndefined();
  g.add(convOps.forward, 'y', { x, w }, { y, partial }, attrs);
  expect(() => compile(g)).toThrow();
});
