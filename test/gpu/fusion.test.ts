import { beforeAll, expect, test } from 'vitest';
import type { Plan } from '../../src/graph/plan';
import type { Tensor } from '../../src/graph/tensor';
import { initialState } from '../../src/nn/init';
import type { Architecture, Net } from '../../src/nn/net';
import { loadState } from '../../src/nn/state';
import { ALL_FUSIONS, type Fusions } from '../../src/ops/fusion';
import { Session } from '../../src/runtime/session';
import { defaultSettings } from '../../src/train/config';
import { evaluationProgram, type Program, trainProgram } from '../../src/train/programs';
import { expectClose, gpu } from './harness';

const NONE: Fusions = {
  statistics: false,
  affine: false,
  residual: false,
  sums: false,
  gradient: false,
  activation: false,
  weightSums: false,
};
const BATCH = 3;
const SIZE = 9;

/** Odd sizes: a dense stem, depthwise with and without stride, pointwise with and without a shortcut. */
const network: Architecture = (net, x) => {
  let y = net.batchNorm('stem.bn', net.conv('stem.conv', x, 6, 3, { stride: 2 }), 'relu6');
  y = block(net, 'a', y, 10, 6, 1);
  y = block(net, 'b', y, 18, 7, 2);
  y = block(net, 'c', y, 13, 7, 1);
  return net.linear('fc', net.globalAvgPool(y), 5);
};

function block(net: Net, name: string, x: Tensor, hidden: number, out: number, stride: number): Tensor {
  let y = net.batchNorm(`${name}.bn1`, net.conv(`${name}.expand`, x, hidden, 1), 'relu6');
  y = net.batchNorm(
    `${name}.bn2`,
    net.conv(`${name}.depthwise`, y, hidden, 3, { stride, groups: hidden }),
    'hardswish',
  );
  y = net.batchNorm(`${name}.bn3`, net.conv(`${name}.project`, y, out, 1));
  return stride === 1 && out === x.shape[3] ? net.add(x, y) : y;
}

const images = {
  name: 'train',
  count: 8,
  height: SIZE,
  width: SIZE,
  mean: [0.5, 0.4, 0.3],
  std: [0.2, 0.3, 0.4],
};

function programs(fusions: Fusions): { train: Program; evaluate: Program } {
  const settings = { ...defaultSettings(), batch: BATCH, cropPadding: 1 };
  const common = { architecture: network, batch: BATCH, images, layout: {}, fusions };
  return { train: trainProgram({ ...common, settings }), evaluate: evaluationProgram(common) };
}

/** Gradients of the first step, running statistics after it, and the logits then. */
async function results(fusions: Fusions): Promise<Map<string, Float32Array>> {
  const { train, evaluate } = programs(fusions);
  const session: Session<'train' | 'evaluate'> = await Session.create(await gpu(), {
    train: train.plan,
    evaluate: evaluate.plan,
  });
  loadState(session, train.net, initialState(train.net, 5));
  const bytes = Uint8Array.from({ length: images.count * SIZE * SIZE * 3 + 4 }, (_, i) => (i * 7919) % 251);
  session.write('input:train images', bytes.subarray(0, session.range('input:train images').bytes));
  session.write('input:train labels', Uint32Array.from([0, 1, 2, 3, 4, 0, 1, 2]));
  session.write('input:train order', Uint32Array.from([3, 1, 4, 0, 5, 2, 7, 6]));
  session.run('train', { step: 0, seed: 1, rows: BATCH, lr: 0.05 });
  const keys = train.net.state.map((e) =>
    e.role === 'parameter' ? `gradient:${e.name}` : `${e.role}:${e.name}`,
  );
  const read = await session.read(...keys);
  session.run('evaluate', { step: 1, rows: BATCH });
  const [logits] = await session.read('output:logits');
  session.destroy();
  return new Map([...keys.map((key, i) => [key, read[i]] as const), ['logits', logits]]);
}

const count = (plan: Plan, shader: string) => plan.dispatches.filter((d) => d.shader === shader).length;

let unfused: Map<string, Float32Array>;
beforeAll(async () => {
  unfused = await results(NONE);
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
    const fused = await results(fusions);
    const scale = Math.max(
      ...[...unfused].filter(([k]) => k.startsWith('gradient')).map(([, v]) => Math.hypot(...v)),
    );
    for (const [key, expected] of unfused) {
      const got = fused.get(key)!;
      const difference = Math.hypot(...expected.map((v, i) => v - got[i]));
      // some gradients, and some means, are zero but for rounding
      const floor = key.startsWith('gradient') ? 1e-3 * scale : 1e-2;
      expect(difference / (Math.hypot(...expected) + floor), key).toBeLessThan(1e-4);
    }
  },
);

test('fusing removes the passes over whole activations that it replaces', () => {
  const plain = programs(NONE).train.plan;
  const fused = programs(ALL_FUSIONS).train.plan;
  expect(count(plain, 'norm/batch_statistics')).toBe(10);
  expect(count(fused, 'norm/batch_backward_apply')).toBeLessThan(count(plain, 'norm/batch_backward_apply'));
  expect(fused.totals.bytes).toBeLessThan(plain.totals.bytes);
  expect(fused.totals.dispatches).toBeLessThan(plain.totals.dispatches - 20);
});

/** No batch norms: biases and activations of every family of shaders. */
const biased: Architecture = (net, x) => {
  let y = net.activation(net.conv('stem', x, 6, 3, { bias: true }), 'relu6');
  y = net.activation(net.conv('depthwise', y, 6, 3, { groups: 6, bias: true }), 'hardswish');
  y = net.activation(net.conv('large', y, 6, 7, { groups: 6, bias: true }), 'gelu');
  y = net.activation(net.conv('pointwise', y, 7, 1, { bias: true }), 'relu');
  y = net.activation(net.conv('gate', y, 5, 1, { bias: true }), 'sigmoid');
  return net.linear('fc', net.globalAvgPool(y), 5);
};

test('in inference a convolution writes the activation, but for one that would fill the padding', async () => {
  const common = { architecture: biased, batch: BATCH, images, layout: {} };
  const logits = async (fusions: Fusions) => {
    const { net, plan } = evaluationProgram({ ...common, layout: {}, fusions });
    const session = await Session.create(await gpu(), { evaluate: plan });
    loadState(session, net, initialState(net, 3));
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
  const settings = { ...defaultSettings(), batch: BATCH };
  const { plan } = trainProgram({ ...common, settings });
  expect(count(plan, 'activation/forward')).toBe(5);
});
