import type { Tensor } from '../graph/tensor';
import { mapLayout, vectorLayout, weightLayout } from '../model/layout';
import { ACTIVATIONS, type Activation, activation } from '../ops/activation';
import { add } from '../ops/add';
import { concat, shuffleChannels } from '../ops/channels';
import { type ConvAttributes, conv2d } from '../ops/conv/conv2d';
import { linear } from '../ops/conv/linear';
import { crossEntropy } from '../ops/loss/cross-entropy';
import { mul } from '../ops/mul';
import { batchNorm } from '../ops/norm/batch-norm';
import { layerNorm } from '../ops/norm/layer-norm';
import {
  type AveragePoolAttributes,
  avgPool2d,
  globalAvgPool,
  type MaxPoolAttributes,
  maxPool2d,
} from '../ops/pool';
import { refocusMap } from '../ops/refocus/dense';
import type { Case, CaseGraph } from './case';

type Build = (g: CaseGraph, c: Case) => void;

const act =
  (kind: Activation): Build =>
  (g) =>
    g.output('y', activation(g.graph, 'y', g.activation('x'), kind));

const batchNormCase: Build = (g, c) => {
  const a = c.attrs as { training: boolean; momentum: number; eps: number };
  const p = {
    weight: g.vector('weight'),
    bias: g.vector('bias'),
    runningMean: g.state('running_mean'),
    runningVar: g.state('running_var'),
  };
  g.output('y', batchNorm(g.graph, 'y', g.activation('x'), p, { ...a, activation: 'none' }));
  if (!a.training) return;
  g.updated('running_mean');
  g.updated('running_var');
};

const groupsOf = (c: Case) => c.attrs.groups as number;

/** W_t of a case's basis and map. */
function refocused(g: CaseGraph, c: Case): Tensor {
  const basis = g.weight('basis', groupsOf(c));
  const map = g.input('map', mapLayout(c.inputs.map.shape, c.inputs.basis.shape, groupsOf(c)));
  return refocusMap(g.graph, 'refocused weight', basis, map, { groups: groupsOf(c), identity: true });
}
const averagePoolCase: Build = (g, c) => {
  const { count_include_pad, ...a } = c.attrs as unknown as AveragePoolAttributes & {
    count_include_pad: boolean;
  };
  const attrs = { ...a, countIncludePad: count_include_pad };
  g.output('y', avgPool2d(g.graph, 'y', g.activation('x'), attrs));
};

const crossEntropyCase: Build = (g, c) => {
  const labelSmoothing = c.attrs.label_smoothing as number;
  const { loss } = crossEntropy(g.graph, 'loss', g.activation('logits'), g.integers('target'), {
    labelSmoothing,
    metrics: false,
  });
  g.output('loss', loss, vectorLayout([]));
};

const concatCase: Build = (g, c) => {
  const parts = Object.keys(c.inputs).sort().map(g.activation);
  g.output('y', concat(g.graph, 'y', parts));
};

/** How each operation of the golden cases is built; a name that is not here is unknown. */
export const OPS: Record<string, Build> = {
  ...Object.fromEntries(Object.keys(ACTIVATIONS).map((kind) => [kind, act(kind as Activation)])),
  conv2d: (g, c) => {
    const a = c.attrs as unknown as ConvAttributes;
    g.output(
      'y',
      conv2d(g.graph, 'y', g.activation('x'), g.weight('weight', a.groups), g.optionalVector('bias'), a),
    );
  },
  batch_norm: batchNormCase,
  refocus: (g, c) => g.output('weight', refocused(g, c), weightLayout(c.outputs.weight.shape, groupsOf(c))),
  refconv2d: (g, c) => {
    const a = c.attrs as unknown as ConvAttributes;
    g.output('y', conv2d(g.graph, 'y', g.activation('x'), refocused(g, c), undefined, a));
  },
  layer_norm_channels: (g, c) => {
    const a = c.attrs as { eps: number };
    g.output('y', layerNorm(g.graph, 'y', g.activation('x'), g.vector('weight'), g.vector('bias'), a));
  },
  max_pool2d: (g, c) =>
    g.output('y', maxPool2d(g.graph, 'y', g.activation('x'), c.attrs as unknown as MaxPoolAttributes)),
  avg_pool2d: averagePoolCase,
  global_avg_pool: (g) => g.output('y', globalAvgPool(g.graph, 'y', g.activation('x'))),
  mul: (g) => g.output('y', mul(g.graph, 'y', g.activation('a'), g.activation('b'))),
  concat: concatCase,
  channel_shuffle: (g, c) =>
    g.output('y', shuffleChannels(g.graph, 'y', g.activation('x'), c.attrs.groups as number)),
  linear: (g) =>
    g.output('y', linear(g.graph, 'y', g.activation('x'), g.weight('weight'), g.optionalVector('bias'))),
  cross_entropy: crossEntropyCase,
  add: (g) => g.output('y', add(g.graph, 'y', g.activation('a'), g.activation('b'))),
};
