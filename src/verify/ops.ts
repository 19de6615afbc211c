import * as v from 'valibot';
import { UserError } from '../errors';
import type { Tensor } from '../graph/tensor';
import { mapLayout, vectorLayout, weightLayout } from '../model/layout';
import { ACTIVATIONS, type Activation, activation } from '../ops/activation';
import { adaptiveAvgPool2d } from '../ops/adaptive-pool';
import { add } from '../ops/add';
import { concat, depthToSpace, replaceChannels, shuffleChannels } from '../ops/channels';
import { conv2d } from '../ops/conv/conv2d';
import { linear } from '../ops/conv/linear';
import { crossEntropy } from '../ops/loss/cross-entropy';
import { mul } from '../ops/mul';
import { batchNorm } from '../ops/norm/batch-norm';
import { layerNorm } from '../ops/norm/layer-norm';
import { globalResponseNorm } from '../ops/norm/response-norm';
import { avgPool2d, globalAvgPool, maxPool2d } from '../ops/pool';
import { refocusMap } from '../ops/refocus/dense';
import { attributesOf, count, fraction, notNegative, pair } from './attributes';
import type { CaseGraph } from './case';

type Build = (g: CaseGraph) => void;

/** An operation with the attributes it takes, by PyTorch's names; PyTorch's defaults where it has any. */
const op =
  <E extends v.ObjectEntries>(
    entries: E,
    build: (g: CaseGraph, attrs: v.InferOutput<v.StrictObjectSchema<E, undefined>>) => void,
  ): Build =>
  (g) =>
    build(g, attributesOf(g.op, v.strictObject(entries), g.attrs));

const window = {
  stride: v.optional(pair(1), 1),
  padding: v.optional(pair(0), 0),
  padding_end: v.optional(pair(0)),
  dilation: v.optional(pair(1), 1),
};
const groups = v.optional(count, 1);
const map = { groups, map_groups: count, map_kernel: count };
const pool = {
  kernel: pair(1),
  stride: v.optional(pair(1)),
  padding: v.optional(pair(0), 0),
  padding_end: v.optional(pair(0)),
  ceil_mode: v.optional(v.boolean(), false),
};

interface PoolCase extends v.InferOutput<v.StrictObjectSchema<typeof pool, undefined>> {}

function poolOptions({
  kernel,
  stride = kernel,
  padding,
  padding_end: paddingEnd,
  ceil_mode: ceilMode,
}: PoolCase) {
  if (padding.some((p, j) => 2 * p > kernel[j]))
    throw new UserError(`padding [${padding}] is more than half of kernel [${kernel}]: PyTorch refuses it`);
  return { kernel, stride, padding, paddingEnd, ceilMode };
}

const activationOf = (kind: Activation, attributes: v.ObjectEntries = {}): Build =>
  op(attributes, (g) => g.output('y', activation(g.graph, 'y', g.activation('x'), kind)));

/** W_t of a case's basis and map. */
function refocused(
  g: CaseGraph,
  a: { groups: number; map_groups: number; map_kernel: number },
): { weight: Tensor; shape: readonly number[] } {
  const basis = g.shapeOf('basis');
  const shape = g.shapeOf('map');
  const kernels = basis[0] * basis[1];
  const expected = [kernels, kernels / a.map_groups, a.map_kernel, a.map_kernel];
  if (shape.join() !== expected.join() || a.map_groups * a.groups !== basis[0] * basis[1])
    throw new UserError(
      `in.map of [${shape}] is no map of ${a.map_groups} groups and kernel ${a.map_kernel} over a basis of [${basis}] in ${a.groups} groups`,
    );
  const mapTensor = g.input('map', mapLayout(shape, basis, a.groups));
  const options = { groups: a.groups, identity: true };
  const weight = refocusMap(g.graph, 'refocused weight', g.weight('basis', a.groups), mapTensor, options);
  return { weight, shape: basis };
}

/** How each operation of the golden cases is built; a name that is not here is unknown. */
export const OPS: Record<string, Build> = {
  ...Object.fromEntries(Object.keys(ACTIVATIONS).map((kind) => [kind, activationOf(kind as Activation)])),
  gelu: activationOf('gelu', { approximate: v.optional(v.literal('none')) }),
  conv2d: op({ ...window, groups }, (g, { padding_end: paddingEnd, ...a }) => {
    const weight = g.weight('weight', a.groups);
    const attrs = { ...a, paddingEnd };
    g.output('y', conv2d(g.graph, 'y', g.activation('x'), weight, g.optionalVector('bias'), attrs));
  }),
  batch_norm: op({ training: v.boolean(), momentum: fraction, eps: notNegative }, (g, a) => {
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
  }),
  refocus: op(map, (g, a) => {
    const { weight, shape } = refocused(g, a);
    g.output('weight', weight, weightLayout(shape, a.groups));
  }),
  refconv2d: op({ ...map, ...window }, (g, { map_groups, map_kernel, padding_end: paddingEnd, ...a }) => {
    const { weight } = refocused(g, { map_groups, map_kernel, groups: a.groups });
    g.output('y', conv2d(g.graph, 'y', g.activation('x'), weight, undefined, { ...a, paddingEnd }));
  }),
  layer_norm_channels: op({ eps: notNegative }, (g, a) =>
    g.output('y', layerNorm(g.graph, 'y', g.activation('x'), g.vector('weight'), g.vector('bias'), a)),
  ),
  global_response_norm: op({ eps: notNegative }, (g, a) =>
    g.output(
      'y',
      globalResponseNorm(g.graph, 'y', g.activation('x'), g.vector('weight'), g.vector('bias'), a),
    ),
  ),
  max_pool2d: op(pool, (g, a) => g.output('y', maxPool2d(g.graph, 'y', g.activation('x'), poolOptions(a)))),
  avg_pool2d: op(
    { ...pool, count_include_pad: v.optional(v.boolean(), true) },
    (g, { count_include_pad: countIncludePad, ...a }) =>
      g.output('y', avgPool2d(g.graph, 'y', g.activation('x'), { ...poolOptions(a), countIncludePad })),
  ),
  global_avg_pool: op({}, (g) => g.output('y', globalAvgPool(g.graph, 'y', g.activation('x')))),
  adaptive_avg_pool2d: op({ output_size: pair(1) }, (g, a) =>
    g.output('y', adaptiveAvgPool2d(g.graph, 'y', g.activation('x'), a.output_size)),
  ),
  mul: op({}, (g) => g.output('y', mul(g.graph, 'y', g.activation('a'), g.activation('b')))),
  replace_channels: op({}, (g) =>
    g.output('y', replaceChannels(g.graph, 'y', g.activation('x'), g.activation('first'))),
  ),
  concat: op({ axis: v.literal(1) }, (g) =>
    g.output('y', concat(g.graph, 'y', g.inputNames().map(g.activation))),
  ),
  channel_shuffle: op({ groups: count }, (g, a) =>
    g.output('y', shuffleChannels(g.graph, 'y', g.activation('x'), a.groups)),
  ),
  pixel_shuffle: op({ upscale_factor: count }, (g, a) =>
    g.output(
      'y',
      depthToSpace(g.graph, 'y', g.activation('x'), {
        kind: 'depth_to_space',
        block: a.upscale_factor,
        order: 'chw',
      }),
    ),
  ),
  pixel_unshuffle: op({ downscale_factor: count }, (g, a) =>
    g.output(
      'y',
      depthToSpace(g.graph, 'y', g.activation('x'), {
        kind: 'space_to_depth',
        block: a.downscale_factor,
        order: 'chw',
      }),
    ),
  ),
  linear: op({}, (g) =>
    g.output('y', linear(g.graph, 'y', g.activation('x'), g.weight('weight'), g.optionalVector('bias'))),
  ),
  cross_entropy: op(
    { label_smoothing: v.optional(fraction, 0), reduction: v.optional(v.literal('mean')) },
    (g, { label_smoothing: labelSmoothing }) => {
      const classes = g.shapeOf('logits')[1];
      const { loss } = crossEntropy(g.graph, 'loss', g.activation('logits'), g.integers('target', classes), {
        labelSmoothing,
        classWeights: g.optionalVector('class_weights'),
        metrics: false,
      });
      g.output('loss', loss, vectorLayout([]));
    },
  ),
  add: op({}, (g) => g.output('y', add(g.graph, 'y', g.activation('a'), g.activation('b')))),
};
