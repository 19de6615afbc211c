import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/errors';
import { differentiate } from '../../src/graph/autograd';
import type { Pass } from '../../src/graph/compile';
import { Graph } from '../../src/graph/graph';
import type { Role } from '../../src/graph/tensor';
import type { Tuning } from '../../src/graph/tuning';
import { ACTIVATIONS, type Activation, activation } from '../../src/ops/activation';
import { type ConvAttributes, conv2d } from '../../src/ops/conv/conv2d';
import { batchNorm } from '../../src/ops/norm/batch-norm';
import { layerNorm } from '../../src/ops/norm/layer-norm';
import { standardPasses } from '../../src/passes/standard';
import type { CaseGraph } from '../../src/verify/case';
import * as reference from '../reference/activation';
import { batchNorm as batchNormReference, layerNorm as layerNormReference } from '../reference/norm';
import { fill, type ValueMap, type Values, zeros } from '../reference/values';
import { checkOp, draw } from './check-op';
import { expectClose, runCase, SHARING_TUNINGS, sessionOf, TUNINGS, WORKGROUP_TUNINGS } from './harness';

/** All but the root of small numbers, whose rounding it makes large: golden cases have it. */
const KINDS = (Object.keys(ACTIVATIONS) as Activation[]).filter((kind) => kind !== 'rsqrt');
const EPS = 1e-5;

const inputsOf = (shape: number[], centre = 1): ValueMap => ({
  x: draw(shape, 1, centre),
  weight: draw([shape[1]], 1, 0.5),
  bias: draw([shape[1]]),
  running_mean: draw([shape[1]]),
  running_var: draw([shape[1]], 0.5, 1),
});

const normalised = (g: CaseGraph, training: boolean, kind: Activation = 'none') => {
  const p = {
    weight: g.vector('weight'),
    bias: g.vector('bias'),
    runningMean: g.state('running_mean'),
    runningVar: g.state('running_var'),
  };
  g.output(
    'y',
    batchNorm(g.graph, 'y', g.activation('x'), p, { training, momentum: 0.3, eps: EPS, activation: kind }),
  );
  g.updated('running_mean');
  g.updated('running_var');
};

const batchNormTest = (inputs: ValueMap, training: boolean, kind: Activation = 'none') => ({
  inputs,
  reference: (v: ValueMap) => {
    const results = batchNormReference(v, { training, momentum: 0.3, eps: EPS });
    return { ...results, y: reference.activation(kind, results.y) };
  },
  build: (g: CaseGraph) => normalised(g, training, kind),
  constant: ['running_mean', 'running_var'],
});

describe('activation', () => {
  test.each(KINDS.slice(1))('%s, results and gradient', async (kind) => {
    await checkOp({
      inputs: { x: draw([1, 5, 3, 7], 3) },
      reference: ({ x }) => ({ y: reference.activation(kind, x) }),
      build: (g) => g.output('y', activation(g.graph, 'y', g.activation('x'), kind)),
      wrt: ['x'],
      addend: 'x',
    });
  });
});

describe('batch norm', () => {
  const shapes = [
    [2, 1, 1, 1],
    [1, 5, 1, 3],
    [3, 8, 4, 5],
    [2, 7, 5, 9],
  ];
  test.each(shapes)('in training, %i x %i x %i x %i', async (...shape) => {
    // two values a channel normalise to +-1 whatever they are: their own gradient is rounding noise
    const wrt = shape[0] * shape[2] * shape[3] === 2 ? ['weight', 'bias'] : ['x', 'weight', 'bias'];
    await checkOp({ ...batchNormTest(inputsOf(shape), true), wrt });
  });

  test.each(shapes)('in evaluation, %i x %i x %i x %i', async (...shape) => {
    await checkOp({ ...batchNormTest(inputsOf(shape), false), wrt: ['x', 'weight', 'bias'], addend: 'x' });
  });

  test.each(KINDS)('in training with %s, adding to an earlier gradient', async (kind) => {
    await checkOp({
      ...batchNormTest(inputsOf([2, 6, 3, 3]), true, kind),
      wrt: ['x', 'weight', 'bias'],
      addend: 'x',
    });
  });

  test.each([[['x']], [['weight']], [['bias']], [[]]])('gradients of %j alone', async (wrt) => {
    await checkOp({ ...batchNormTest(inputsOf([2, 3, 2, 3]), true), wrt });
    await checkOp({ ...batchNormTest(inputsOf([2, 3, 2, 3]), false), wrt });
  });

  test('works with parameters, gradients and statistics in shared buffers', async () => {
    const g = new Graph();
    const make = (role: Role) => (name: string) => g.tensor(name, [3], { role });
    const [parameter, state] = [make('parameter'), make('state')];
    const p = {
      weight: parameter('weight'),
      bias: parameter('bias'),
      runningMean: state('mean'),
      runningVar: state('var'),
    };
    const x = g.tensor('x', [2, 1, 2, 3], { role: 'input' });
    const dy = g.tensor('dy', [2, 1, 2, 3], { role: 'input' });
    const y = batchNorm(g, 'y', x, p, { training: true, momentum: 0.5, eps: 0, activation: 'none' });
    differentiate(g, [p.weight, p.bias], [[y, dy]]);
    const session = await sessionOf(g);
    try {
      session.write('parameter:weight', Float32Array.of(2, 1, 1));
      session.write('state:var', Float32Array.of(3, 3, 3));
      session.write(
        'input:x',
        Float32Array.from({ length: 16 }, (_, i) => (i % 4 === 3 ? 0 : i)),
      );
      session.write(
        'input:dy',
        Float32Array.from({ length: 16 }, (_, i) => (i % 4 === 3 ? 0 : i * i)),
      );
      session.run('run');
      const [dbias, dweight, mean, variance] = await session.read(
        'gradient:bias',
        'gradient:weight',
        'state:mean',
        'state:var',
      );
      // channel 0 is 0, 4, 8, 12: mean 6, variance 20, unbiased 80 / 3
      expectClose(dbias.subarray(0, 1), [16 + 64 + 144]);
      expectClose(dweight.subarray(0, 1), [(-2 * 16 + 2 * 64 + 6 * 144) / Math.sqrt(20)]);
      expectClose(mean, [3, 3.5, 4, 0]);
      expectClose(variance.subarray(0, 3), Array(3).fill(0.5 * (3 + 80 / 3)));
    } finally {
      session.destroy();
    }
  });

  test('keeps the variance of values far from zero', async () => {
    const inputs = inputsOf([2, 3, 8, 9]);
    inputs.x = draw([2, 3, 8, 9], 0.5, 500);
    await checkOp({ ...batchNormTest(inputs, true), wrt: [], rtol: 2e-4 });
  });

  test('a constant channel is normalised to its bias', async () => {
    const inputs = inputsOf([2, 3, 4, 4]);
    inputs.x = fill([2, 3, 4, 4], () => 3.3);
    await checkOp({ ...batchNormTest(inputs, true), wrt: [] });
  });

  test('refuses to train on one value a channel', () => {
    const g = new Graph();
    const vector = (name: string) => g.tensor(name, [4], { role: 'parameter' });
    const p = {
      weight: vector('w'),
      bias: vector('b'),
      runningMean: vector('m'),
      runningVar: vector('v'),
    };
    const x = g.tensor('x', [1, 1, 1, 4], { role: 'input' });
    expect(() =>
      batchNorm(g, 'bn', x, p, { training: true, momentum: 0.1, eps: EPS, activation: 'none' }),
    ).toThrow(UserError);
  });

  /** Of x far from zero, between two convolutions that change nothing: the gradient of the weight. */
  async function weightGradient(x: Values, dy: Values, options: { tuning: Tuning; passes: readonly Pass[] }) {
    const c = x.shape[1];
    const same = fill([c, c, 1, 1], (i) => Number(i % (c + 1) === 0));
    const vectors = { weight: fill([c], () => 1), running_mean: zeros(c), running_var: zeros(c) };
    const inputs = { x, first: same, second: same, bias: zeros(c), ...vectors };
    const pointwise = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as ConvAttributes;
    const got = await runCase(
      { inputs, outputs: { y: x }, douts: { y: dy }, wanted: ['weight'], ...options },
      (g) => {
        const p = {
          weight: g.vector('weight'),
          bias: g.vector('bias'),
          runningMean: g.state('running_mean'),
          runningVar: g.state('running_var'),
        };
        const raw = conv2d(g.graph, 'first', g.activation('x'), g.weight('first'), undefined, pointwise);
        const attributes = { training: true, momentum: 0.1, eps: EPS, activation: 'none' } as const;
        const y = batchNorm(g.graph, 'norm', raw, p, attributes);
        g.output('y', conv2d(g.graph, 'second', y, g.weight('second'), undefined, pointwise));
      },
    );
    const { y } = batchNormReference(
      { ...inputs, weight: vectors.weight },
      { training: true, momentum: 0.1, eps: EPS },
    );
    return { got: got.get('grad.weight')!, normalised: y };
  }

  test.each([
    ...[...TUNINGS, ...SHARING_TUNINGS].map(([name, tuning]) => [name, 'alone', tuning, []] as const),
    ...[...TUNINGS, WORKGROUP_TUNINGS[0]].map(
      ([name, tuning]) => [name, 'fused', tuning, standardPasses()] as const,
    ),
  ])(
    'the gradient of the weight, far from zero, is off by no more than rounding a mean twice: for %s, %s',
    async (_, __, tuning, passes) => {
      const [n, c, h, w] = [8, 8, 16, 16];
      const x = draw([n, c, h, w], 1, 1e4);
      const dy = draw([n, c, h, w], 1, 1);
      const { got, normalised } = await weightGradient(x, dy, { tuning, passes });
      for (let channel = 0; channel < c; channel++) {
        let [expected, sum] = [0, 0];
        dy.data.forEach((d, i) => {
          if (Math.floor(i / (h * w)) % c !== channel) return;
          expected += d * normalised.data[i];
          sum += d;
        });
        // x deviates by 1: an error of the mean comes back times the sum of dy. float32's next number is 2^-10
        // away, and the mean of a block and the mean of all may each be off by half of that
        expect(Math.abs(got[channel] - expected) / sum).toBeLessThan(2 ** -10);
      }
    },
  );
});

describe('layer norm', () => {
  test.each([
    [1, 2, 1, 1],
    [1, 5, 1, 1],
    [2, 8, 3, 5],
    [2, 19, 1, 3],
    // rows that 16 and 64 threads share, the last workgroup not full
    [1, 70, 1, 5],
    [1, 530, 1, 1],
  ])('%i x %i x %i x %i', async (...shape) => {
    const { x, weight, bias } = inputsOf(shape);
    // two values normalise to almost +-1: their gradient is rounding noise unless eps counts beside their difference
    const eps = shape[1] === 2 ? 1 : 1e-2;
    // differences of so many numbers take long: of wide rows those of x alone, which threads share
    const isWide = shape[1] > 500;
    for (const addend of isWide ? ['x'] : [undefined, 'x']) {
      await checkOp({
        inputs: { x, weight, bias },
        reference: (v) => ({ y: layerNormReference(v, eps) }),
        build: (g) => {
          const y = layerNorm(g.graph, 'y', g.activation('x'), g.vector('weight'), g.vector('bias'), {
            eps,
          });
          g.output('y', y);
        },
        wrt: isWide ? ['x'] : ['x', 'weight', 'bias'],
        addend,
      });
    }
  });
});
