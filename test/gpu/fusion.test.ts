import { beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/graph/ir';
import { GPU_TUNING } from '../../src/graph/tuning';
import { buildModel } from '../../src/model/builder';
import { initialState } from '../../src/model/init';
import type { Model } from '../../src/model/model';
import { loadState } from '../../src/model/state';
import { ALL_FUSIONS, type Fusions } from '../../src/passes/fusion';
import { Session } from '../../src/runtime/session';
import { evaluationProgram, trainProgram } from '../../src/train/programs';
import { runSettings } from '../settings';
import {
  BATCH,
  connected,
  dropped,
  ghosts,
  halves,
  images,
  NONE,
  postActivation,
  preActivation,
  programs,
  regrouped,
  responses,
  squeezed,
  stepResults,
  withoutNorms,
  worstDifference,
} from '../step-case';
import { expectClose, gpu, SHARING_TUNINGS } from './harness';

const count = (plan: Plan, shader: string) => plan.dispatches.filter((d) => d.shader === shader).length;

const plainResults = async (model?: Model) => stepResults(await gpu(), { model, fusions: NONE });

let unfused: Map<string, Float32Array>;
beforeAll(async () => {
  unfused = await plainResults();
});

const one = (name: keyof Fusions): [string, Fusions] => [name, { ...NONE, [name]: true }];
const without = (name: keyof Fusions): [string, Fusions] => [
  `all but ${name}`,
  { ...ALL_FUSIONS, [name]: false },
];
const names = Object.keys(NONE) as (keyof Fusions)[];

test.each([...names.map(one), ...names.map(without), ['all', ALL_FUSIONS] as [string, Fusions]])(
  'the step with %s fused agrees with the plain one',
  async (_, fusions) => {
    expect(worstDifference(await stepResults(await gpu(), { fusions }), unfused)).toBeLessThan(1e-4);
  },
);

test('the step of a network with shortcuts before its batch norms agrees with the plain one', async () => {
  const fused = await stepResults(await gpu(), { model: preActivation });
  expect(worstDifference(fused, await plainResults(preActivation))).toBeLessThan(1e-4);
});

test.each([
  ['GELUs and response norms', responses],
  ['SiLU behind norms and before gates', squeezed],
])('the step with %s agrees with the plain one where exponentials are stored', async (_, model) => {
  const tuning = { ...GPU_TUNING, storesExponentials: true };
  const stored = await stepResults(await gpu(), { model, tuning });
  expect(worstDifference(stored, await plainResults(model))).toBeLessThan(1e-4);
});

describe.each([
  // the last derivative's gradient comes from a pool; GELU's derivative needs its input
  ['activations behind its shortcuts', postActivation, [4, 4], [0, 1]],
  ['activations and no batch norms', withoutNorms, [5, 5], [1, 1]],
])('the step of a network with %s', (_, model, plain, fused) => {
  let expected: Map<string, Float32Array>;
  beforeAll(async () => {
    expected = await plainResults(model);
  });

  test.each([
    one('activation'),
    one('derivative'),
    without('activation'),
    without('derivative'),
    ['all', ALL_FUSIONS] as [string, Fusions],
  ])('agrees with the plain one with %s fused', async (_, fusions) => {
    const g = await gpu();
    expect(worstDifference(await stepResults(g, { model, fusions }), expected)).toBeLessThan(1e-4);
    const tuning = { ...GPU_TUNING, workgroupMemory: true };
    expect(worstDifference(await stepResults(g, { model, fusions, tuning }), expected)).toBeLessThan(1e-4);
  });

  test('has fewer passes over activations', () => {
    const passes = (fusions: Fusions) => {
      const { plan } = programs({ model, fusions }).train;
      return [count(plan, 'activation/forward'), count(plan, 'activation/backward')];
    };
    expect(passes(NONE)).toEqual(plain);
    expect(passes(ALL_FUSIONS)).toEqual(fused);
  });
});

/**
 * A network, the rules that it is there for, shaders whose dispatches these make fewer (without any rule, and with all), and how
 * far results may lie apart.
 */
const cases: [string, Model, (keyof Fusions)[], Record<string, [number, number]>, number?][] = [
  [
    'squeeze-and-excitations',
    squeezed,
    ['gates', 'affine'],
    { 'multiply/forward': [4, 0], 'pool/average_backward': [3, 2], 'norm/affine_act': [5, 0] },
  ],
  [
    'response norms',
    responses,
    ['gates', 'inputActivation', 'biases'],
    { 'norm/response_apply': [2, 0], 'activation/backward': [3, 1], 'reduce/sum_rows': [9, 0] },
  ],
  [
    'channels that are moved',
    regrouped,
    ['regroup', 'branches', 'slices'],
    { 'shape/concat': [2, 1], 'shape/gather_channels': [16, 0], 'norm/affine_act': [7, 2] },
  ],
  [
    'concatenations',
    connected,
    ['concatenations', 'statistics', 'regroup', 'views'],
    {
      'norm/batch_statistics': [7, 0],
      'shape/concat': [3, 0],
      'norm/batch_backward_apply': [7, 2],
      'shape/gather_channels': [6, 3],
    },
  ],
  [
    'concatenations behind batch norms',
    ghosts,
    ['affine', 'regroup', 'slices'],
    { 'norm/affine_act': [8, 2], 'shape/concat': [3, 0] },
  ],
  [
    'halves made of each other',
    halves,
    ['parts', 'gates', 'residual', 'gradient'],
    {
      'shape/gather_channels': [8, 0],
      'shape/copy': [1, 0],
      'multiply/forward': [2, 0],
      'norm/batch_backward_apply': [10, 1],
      'norm/part_backward_sums': [0, 4],
    },
  ],
  // the gradient of a bias before a batch norm is zero but for rounding
  ['dropouts', dropped, ['biases', 'affine'], { 'norm/affine_act': [3, 0], 'reduce/sum_rows': [5, 0] }, 1e-3],
];

describe.each(cases)('the step of a network with %s', (_, model, rules, shaders, tolerance = 1e-4) => {
  let expected: Map<string, Float32Array>;
  beforeAll(async () => {
    expected = await plainResults(model);
  });

  const ways = [...rules.map(one), ...rules.map(without), ['all', ALL_FUSIONS] as [string, Fusions]];
  test.each(ways)('agrees with the plain one with %s fused', async (_, fusions) => {
    const g = await gpu();
    expect(worstDifference(await stepResults(g, { model, fusions }), expected)).toBeLessThan(tolerance);
    const tuning = { ...GPU_TUNING, workgroupMemory: true };
    expect(worstDifference(await stepResults(g, { model, fusions, tuning }), expected)).toBeLessThan(
      tolerance,
    );
  });

  test('has fewer passes over activations', () => {
    const plans = [NONE, ALL_FUSIONS].map((fusions) => programs({ model, fusions }).train.plan);
    const passes = Object.keys(shaders).map((shader) => [shader, plans.map((plan) => count(plan, shader))]);
    expect(Object.fromEntries(passes)).toEqual(shaders);
  });
});

test('the step by workgroup memory agrees with the plain one, to the same bits each time', async () => {
  const tuning = { ...GPU_TUNING, workgroupMemory: true };
  const { plan } = programs({ tuning }).train;
  expect(count(plan, 'gemm/forward')).toBe(8);
  expect(count(plan, 'gemm/backward_input')).toBe(7);
  const results = await stepResults(await gpu(), { tuning });
  expect(worstDifference(results, unfused)).toBeLessThan(1e-4);
  expect(await stepResults(await gpu(), { tuning })).toEqual(results);
});

test.each(SHARING_TUNINGS)('the step with %s agrees with the plain one', async (_, tuning) => {
  expect(worstDifference(await stepResults(await gpu(), { tuning }), unfused)).toBeLessThan(1e-4);
});

test('fusing removes the passes over whole activations that it replaces', () => {
  const plain = programs({ fusions: NONE }).train.plan;
  const fused = programs({ fusions: ALL_FUSIONS }).train.plan;
  expect(count(plain, 'norm/batch_statistics')).toBe(10);
  expect(count(fused, 'norm/batch_backward_apply')).toBeLessThan(count(plain, 'norm/batch_backward_apply'));
  expect(fused.totals.bytes).toBeLessThan(plain.totals.bytes);
  expect(fused.totals.dispatches).toBeLessThan(plain.totals.dispatches - 20);
});

test('in inference a convolution writes what is behind its batch norm, shortcuts added', () => {
  const plain = programs({ fusions: NONE }).evaluate.plan;
  const fused = programs({ fusions: ALL_FUSIONS }).evaluate.plan;
  expect([count(plain, 'norm/affine_act'), count(plain, 'shape/copy')]).toEqual([10, 3]);
  // the copy of the logits stays
  expect([count(fused, 'norm/affine_act'), count(fused, 'shape/copy')]).toEqual([0, 1]);
});

/** No batch norms: biases and activations of every family of shaders. */
const biased = buildModel({ name: 'biased', classes: 5 }, (net, x) => {
  let y = net.activation(net.conv('stem', x, 6, 3, { bias: true }), 'relu6');
  y = net.activation(net.conv('depthwise', y, 6, 3, { groups: 6, bias: true }), 'hardswish');
  y = net.activation(net.conv('large', y, 6, 7, { groups: 6, bias: true }), 'gelu');
  y = net.activation(net.conv('pointwise', y, 7, 1, { bias: true }), 'relu');
  y = net.activation(net.conv('gate', y, 5, 1, { bias: true }), 'sigmoid');
  return net.head('fc', net.globalAvgPool(y));
});

test('in inference a convolution writes the activation, but for one that would fill the padding', async () => {
  const common = { model: biased, batch: BATCH, images, layout: {} };
  const logits = async (fusions: Fusions) => {
    const { plan } = evaluationProgram({ ...common, layout: {}, fusions });
    const session = await Session.create(await gpu(), { evaluate: plan });
    loadState(session, biased, initialState(biased, 3));
    session.write(
      'input:train images',
      Uint8Array.from({ length: session.range('input:train images').bytes }, (_, i) => (i * 7919) % 251),
    );
    session.run('evaluate', { rows: BATCH });
    const [read] = await session.read('output:logits');
    session.destroy();
    return { plan, read };
  };
  const plain = await logits(NONE);
  const fused = await logits(ALL_FUSIONS);
  expect(count(plain.plan, 'activation/forward')).toBe(5);
  expect(count(fused.plan, 'activation/forward')).toBe(1);
  expectClose(fused.read, plain.read, 1e-5, 'logits');
  const settings = { ...runSettings(), batch: BATCH };
  const { plan } = trainProgram({ ...common, settings });
  // hardswish is made where it is read; the product that reads GELU has ReLU to write, and sigmoid would fill the padding that a pool reads
  expect(count(plan, 'activation/forward')).toBe(2);
});
