/** One training step of a small network with a bit of everything, for tests that compare ways to run it. */
import type { Gpu } from '../src/gpu/device';
import type { Tuning } from '../src/graph/tuning';
import { type Builder, buildModel, type Value } from '../src/model/builder';
import { initialState } from '../src/model/init';
import type { Model } from '../src/model/model';
import { loadState } from '../src/model/state';
import type { Fusions } from '../src/passes/fusion';
import { Session } from '../src/runtime/session';
import { evaluationProgram, type Program, trainProgram } from '../src/train/programs';
import type { TrainSettings } from '../src/train/settings';
import { runSettings } from './settings';

export const BATCH = 3;
const SIZE = 9;

/** Odd sizes: a dense stem, depthwise with and without stride, pointwise with and without a shortcut. */
export const step = buildModel({ name: 'step', classes: 5 }, (net, x) => {
  let y = net.batchNorm('stem.bn', net.conv('stem.conv', x, 6, 3, { stride: 2 }), 'relu6');
  y = block(net, 'a', y, 10, 6, 1);
  y = block(net, 'b', y, 18, 7, 2);
  y = block(net, 'c', y, 13, 7, 1);
  return net.head('fc', net.globalAvgPool(y));
});

/** As ResNet v2 has them: the sum of a convolution and its own input goes through a batch norm. */
export const preActivation = buildModel({ name: 'pre-activation', classes: 5 }, (net, x) => {
  let y = net.conv('stem', x, 8, 3);
  y = net.add(y, net.conv('a', y, 8, 3));
  y = net.conv('b', net.batchNorm('bn', y, 'relu'), 8, 3);
  return net.head('fc', net.globalAvgPool(y));
});

/** As ResNet has them: an activation behind each sum, of depthwise and pointwise layers too. */
export const postActivation = buildModel({ name: 'post-activation', classes: 5 }, (net, x) => {
  let y = net.batchNorm('stem.bn', net.conv('stem', x, 8, 3), 'relu');
  for (const [name, size, groups] of [
    ['dense', 3, 1],
    ['depthwise', 3, 8],
    ['large', 7, 8],
    ['pointwise', 1, 1],
  ] as const) {
    const inner = net.batchNorm(`${name}.bn1`, net.conv(`${name}.conv1`, y, 8, size, { groups }), 'relu');
    const outer = net.batchNorm(`${name}.bn2`, net.conv(`${name}.conv2`, inner, 8, 1));
    y = net.activation(net.add(outer, y), 'relu');
  }
  return net.head('fc', net.globalAvgPool(y));
});

/** As VGG and SqueezeNet have them: activations without batch norms, and a shortcut. */
export const withoutNorms = buildModel({ name: 'without norms', classes: 5 }, (net, x) => {
  let y = net.activation(net.conv('stem', x, 8, 3, { bias: true }), 'relu6');
  y = net.activation(net.conv('depthwise', y, 8, 3, { groups: 8, bias: true }), 'relu');
  y = net.activation(net.add(net.conv('dense', y, 8, 3, { bias: true }), y), 'relu');
  y = net.activation(net.conv('pointwise', y, 10, 1, { bias: true }), 'gelu');
  y = net.activation(net.conv('last', y, 6, 1, { bias: true }), 'relu');
  return net.head('fc', net.globalAvgPool(y));
});

/** All that a backward pass may want again: norms, sums, concatenations, gates, dropped images and numbers, pools. */
export const mixed = buildModel({ name: 'mixed', classes: 5 }, (net, x) => {
  let y = net.batchNorm('stem.bn', net.conv('stem', x, 8, 3), 'relu');
  for (let i = 0; i < 3; i++) {
    const inner = net.batchNorm(`${i}.bn`, net.conv(`${i}.conv`, y, 6, 3), 'hardswish');
    y = net.concat([y, net.conv(`${i}.more`, inner, 4, 1, { bias: true })]);
  }
  y = net.maxPool(net.batchNorm('join.bn', net.conv('join', y, 12, 1), 'relu6'), 2);
  for (let i = 3; i < 6; i++) {
    let inner = net.layerNorm(`${i}.norm`, net.conv(`${i}.conv`, y, 12, 7, { groups: 12 }), 1e-6);
    inner = net.activation(net.conv(`${i}.up`, inner, 24, 1, { bias: true }), 'gelu');
    const gate = net.activation(net.conv(`${i}.gate`, net.globalAvgPool(inner), 24, 1), 'sigmoid');
    y = net.add(y, net.stochasticDepth(net.conv(`${i}.down`, net.mul(inner, gate), 12, 1), 0.3));
  }
  return net.head('fc', net.dropout(net.globalAvgPool(y), 0.2));
});

/** As EfficientNet has them: squeeze-and-excitations between batch norms, one of them behind an activation; pools behind norms. */
export const squeezed = buildModel({ name: 'squeezed', classes: 5 }, (net, x) => {
  let y = net.batchNorm('stem.bn', net.conv('stem', x, 7, 3), 'relu');
  y = net.maxPool(y, 3, { stride: 2, padding: 1 });
  for (const [name, out, act] of [
    ['a', 6, 'silu'],
    ['b', 6, 'none'],
  ] as const) {
    const channels = y.channels;
    const wide = net.batchNorm(
      `${name}.bn1`,
      net.conv(`${name}.wide`, y, channels, 3, { groups: channels }),
      act,
    );
    let gate = net.activation(
      net.conv(`${name}.down`, net.globalAvgPool(wide), 3, 1, { bias: true }),
      'silu',
    );
    gate = net.activation(net.conv(`${name}.up`, gate, channels, 1, { bias: true }), 'sigmoid');
    y = net.batchNorm(`${name}.bn2`, net.conv(`${name}.project`, net.mul(wide, gate), out, 1), 'relu6');
  }
  return net.head('fc', net.globalAvgPool(y));
});

/** As ConvNeXtV2 has them: response norms between GELU and a product, a shortcut around them; an activation that a pool reads. */
export const responses = buildModel({ name: 'responses', classes: 5 }, (net, x) => {
  let y = net.conv('stem', x, 6, 3, { stride: 2, bias: true });
  for (const name of ['a', 'b']) {
    const wide = net.activation(net.conv(`${name}.wide`, y, 10, 1, { bias: true }), 'gelu');
    y = net.add(
      y,
      net.conv(`${name}.narrow`, net.globalResponseNorm(`${name}.grn`, wide), 6, 1, { bias: true }),
    );
  }
  return net.head('fc', net.globalAvgPool(net.activation(net.conv('last', y, 9, 3, { bias: true }), 'gelu')));
});

/** As ShuffleNet has them: channels put side by side, shuffled and cut; then three branches that are added up, as MobileOne's. */
export const regrouped = buildModel({ name: 'regrouped', classes: 5 }, (net, x) => {
  let y = net.batchNorm('stem.bn', net.conv('stem', x, 10, 3, { stride: 2 }), 'relu');
  for (const name of ['a', 'b']) {
    const [kept, changed] = [net.slice(y, 0, 5), net.slice(y, 5, 10)];
    const branch = net.batchNorm(`${name}.bn`, net.conv(`${name}.conv`, changed, 5, 1), 'relu');
    y = net.shuffle(net.concat([kept, branch]), 2);
  }
  const branches = [1, 3, 1, 3].map((size, i) =>
    net.batchNorm(`branch${i}.bn`, net.conv(`branch${i}`, y, 10, size)),
  );
  y = net.activation(
    net.add(
      branches.reduce((a, b) => net.add(a, b)),
      y,
    ),
    'relu',
  );
  return net.head('fc', net.globalAvgPool(y));
});

/** As GhostNet has them: channels made of others, put beside these behind norms of both, with one activation, none, or two. */
export const ghosts = buildModel({ name: 'ghosts', classes: 5 }, (net, x) => {
  let y = net.batchNorm('stem.bn', net.conv('stem', x, 6, 3, { stride: 2 }), 'relu');
  for (const [name, first, second] of [
    ['a', 'hardswish', 'hardswish'],
    ['b', 'none', 'none'],
    ['c', 'relu', 'none'],
  ] as const) {
    const some = net.batchNorm(`${name}.bn1`, net.conv(`${name}.conv1`, y, 5, 1), first);
    const made = net.conv(`${name}.conv2`, some, 5, 3, { groups: 5 });
    y = net.concat([some, net.batchNorm(`${name}.bn2`, made, second), y]);
  }
  return net.head('fc', net.globalAvgPool(net.batchNorm('last.bn', net.conv('last', y, 6, 1), 'relu')));
});

/** As GhostNet has them: half of the channels made of the other half, a gate, a shortcut or another such pair behind them. */
export const halves = buildModel({ name: 'halves', classes: 5 }, (net, x) => {
  const pair = (name: string, from: Value, half: number, act: 'none' | 'relu6' | 'hardswish') => {
    const first = net.batchNorm(`${name}.bn1`, net.conv(`${name}.conv1`, from, half, 1), act);
    const made = net.conv(`${name}.conv2`, first, half, 3, { groups: half });
    return net.concat([first, net.batchNorm(`${name}.bn2`, made, act)]);
  };
  let y = net.batchNorm('stem.bn', net.conv('stem', x, 6, 3, { stride: 2 }), 'relu');
  const wide = pair('a', y, 5, 'hardswish');
  const gate = net.activation(net.conv('gate', net.globalAvgPool(wide), 10, 1, { bias: true }), 'sigmoid');
  y = net.add(pair('b', net.mul(wide, gate), 3, 'none'), y);
  y = pair('d', pair('c', y, 4, 'relu6'), 6, 'hardswish');
  return net.head('fc', net.globalAvgPool(net.batchNorm('last.bn', net.conv('last', y, 6, 1), 'relu')));
});

/** As DenseNet has them: each layer reads through a batch norm all that came before it. */
export const connected = buildModel({ name: 'connected', classes: 5 }, (net, x) => {
  let y = net.conv('stem', x, 8, 3, { stride: 2 });
  for (const name of ['a', 'b', 'c']) {
    const narrow = net.conv(`${name}.conv1`, net.batchNorm(`${name}.bn1`, y, 'relu'), 6, 1);
    y = net.concat([y, net.conv(`${name}.conv2`, net.batchNorm(`${name}.bn2`, narrow, 'relu'), 4, 3)]);
  }
  return net.head('fc', net.globalAvgPool(net.batchNorm('last.bn', y, 'relu')));
});

/** Biases and dropouts around batch norms. */
export const dropped = buildModel({ name: 'dropped', classes: 5 }, (net, x) => {
  let y = net.batchNorm('stem.bn', net.conv('stem', x, 6, 3, { stride: 2, bias: true }), 'relu');
  y = net.dropout(y, 0.3);
  y = net.batchNorm('a.bn', net.conv('a', y, 6, 3, { groups: 6, bias: true }), 'relu');
  y = net.activation(net.conv('b', y, 6, 7, { groups: 6, bias: true }), 'silu');
  y = net.batchNorm('c.bn', net.conv('c', y, 7, 1, { bias: true }), 'relu');
  return net.head('fc', net.globalAvgPool(net.dropout(y, 0.2)));
});

function block(net: Builder, name: string, x: Value, hidden: number, out: number, stride: number): Value {
  let y = net.batchNorm(`${name}.bn1`, net.conv(`${name}.expand`, x, hidden, 1), 'relu6');
  y = net.batchNorm(
    `${name}.bn2`,
    net.conv(`${name}.depthwise`, y, hidden, 3, { stride, groups: hidden }),
    'hardswish',
  );
  y = net.batchNorm(`${name}.bn3`, net.conv(`${name}.project`, y, out, 1));
  return stride === 1 && out === x.channels ? net.add(x, y) : y;
}

export const images = {
  name: 'train',
  count: 8,
  height: SIZE,
  width: SIZE,
  mean: [0.5, 0.4, 0.3],
  std: [0.2, 0.3, 0.4],
};

/** Nothing fused. */
export const NONE: Fusions = {
  statistics: false,
  affine: false,
  residual: false,
  branches: false,
  sums: false,
  gradient: false,
  output: false,
  activation: false,
  derivative: false,
  inputActivation: false,
  gates: false,
  slices: false,
  concatenations: false,
  views: false,
  parts: false,
  regroup: false,
  biases: false,
  weightSums: false,
};

/** Each rule of fusion with a network that has what it is for. */
export const RULES: Record<keyof Fusions, Model> = {
  statistics: step,
  affine: step,
  residual: step,
  branches: regrouped,
  sums: step,
  gradient: step,
  output: step,
  activation: postActivation,
  derivative: postActivation,
  inputActivation: responses,
  gates: squeezed,
  slices: regrouped,
  concatenations: connected,
  views: connected,
  parts: halves,
  regroup: regrouped,
  biases: withoutNorms,
  weightSums: step,
};

export interface Way {
  /** default: one with a bit of everything */
  model?: Model;
  /** default: all */
  fusions?: Fusions;
  storage?: TrainSettings['storage'];
  /** default: a GPU's */
  tuning?: Tuning;
  /** of crops and flips; default: 1 */
  seed?: number;
}

export function programs({ model = step, fusions, storage = 'f32', tuning }: Way): {
  train: Program;
  evaluate: Program;
} {
  const settings = { ...runSettings(), batch: BATCH, cropPadding: 1, storage };
  const common = { model, batch: BATCH, images, layout: {}, fusions, tuning };
  return { train: trainProgram({ ...common, settings }), evaluate: evaluationProgram(common) };
}

/** Gradients of the first step, running statistics after it, and the logits then. */
export async function stepResults(gpu: Gpu, way: Way): Promise<Map<string, Float32Array>> {
  const { model = step, seed = 1 } = way;
  const { train, evaluate } = programs(way);
  const session: Session<'train' | 'evaluate'> = await Session.create(gpu, {
    train: train.plan,
    evaluate: evaluate.plan,
  });
  loadState(session, model, initialState(model, 5));
  const bytes = Uint8Array.from({ length: images.count * SIZE * SIZE * 3 + 4 }, (_, i) => (i * 7919) % 251);
  session.write('input:train images', bytes.subarray(0, session.range('input:train images').bytes));
  session.write('input:train labels', Uint32Array.from([0, 1, 2, 3, 4, 0, 1, 2]));
  session.write('input:train order', Uint32Array.from([3, 1, 4, 0, 5, 2, 7, 6]));
  session.run('train', { step: 0, seed, rows: BATCH, lr: 0.05 });
  const keys = model.state.map((e) =>
    e.role === 'parameter' ? `gradient:${e.name}` : `${e.role}:${e.name}`,
  );
  const read = await session.read(...keys);
  session.run('evaluate', { step: 1, rows: BATCH });
  const [logits] = await session.read('output:logits');
  session.destroy();
  return new Map([...keys.map((key, i) => [key, read[i]] as const), ['logits', logits]]);
}

/**
 * How far results lie from others: a tensor's difference against its size, the worst of all. Some gradients, and some
 * means, are zero but for rounding.
 */
export function worstDifference(
  results: Map<string, Float32Array>,
  expected: Map<string, Float32Array>,
): number {
  const gradients = [...expected].filter(([k]) => k.startsWith('gradient')).map(([, v]) => Math.hypot(...v));
  const scale = Math.max(...gradients);
  const differences = [...expected].map(([key, numbers]) => {
    const got = results.get(key)!;
    const floor = key.startsWith('gradient') ? 1e-3 * scale : 1e-2;
    return Math.hypot(...numbers.map((v, i) => v - got[i])) / (Math.hypot(...numbers) + floor);
  });
  return differences.some(Number.isNaN) ? Number.NaN : Math.max(...differences);
}
