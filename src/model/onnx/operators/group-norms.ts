/** Group norm and instance norm, put together of layers that there are. */
import type { Value } from '../../builder';
import { type Constant, numbers } from '../constant';
import type { Held, Importer, Shown } from '../importer';
import { numberOf } from '../node';
import { epsilonOf, type Step } from '../patterns';
import { viewOf } from '../view';
import { affine, given } from './arithmetic';
import { isWholeAmong, type Operator, rounded } from './common';

/**
 * (x - mean) / sqrt(variance + eps), both over the pixels and channels of a group. The mean of a group is that of its channels'
 * means: a convolution of one pixel whose numbers are in no file and never train.
 */
function normalised(net: Importer, step: Step, x: Shown, groups: number): Value {
  const { c, h, w } = x.extents;
  const layers = net.net;
  /** of each group, told to each of its channels, times a factor and plus a number */
  const mean = (value: Value, factor: number, plus?: number): Value => {
    const name = net.unique(`${step.op.toLowerCase()}_${step.index}`);
    const bias = plus !== undefined;
    const means = layers.conv(name, layers.globalAvgPool(value), c, 1, { groups, bias });
    const size = c / groups;
    net.hold(`${name}.weight`, [c, size, 1, 1], new Float32Array(c * size).fill(factor / size));
    if (bias) net.hold(`${name}.bias`, [c], new Float32Array(c).fill(plus));
    return means;
  };
  net.isSized = true;
  // every pixel is the mean of the one that is there
  const everywhere = (value: Value) => (h * w === 1 ? value : layers.adaptiveAvgPool(value, [h, w]));
  const centred = layers.add(x.value, everywhere(mean(x.value, -1)));
  const variance = mean(layers.mul(centred, centred), 1, rounded(epsilonOf(step)));
  return layers.mul(centred, layers.activation(variance, 'rsqrt'));
}

/** A weight or bias for each channel: of the file, or of its groups, held. */
function perChannel(constant: Constant, channels: number): Constant {
  const { data } = constant;
  if (data.length === channels) return constant;
  const size = channels / data.length;
  return numbers(
    [channels],
    Float32Array.from({ length: channels }, (_, c) => data[Math.floor(c / size)]),
  );
}

/** The norm, times a weight and plus a bias where these do anything. */
function groupNorm(
  net: Importer,
  step: Step,
  x: Shown,
  groups: number,
  parameters: (Held | undefined)[],
): Shown {
  const { c } = x.extents;
  const [weight, bias] = parameters.map((held) => net.constant(step, held, 'a parameter'));
  for (const { data } of [weight, bias])
    if (data.length !== c && data.length !== groups)
      net.refuse(step, `has ${data.length} parameters for ${c} channels in ${groups} groups`);
  let result: Shown = { ...x, value: normalised(net, step, x, groups) };
  const isAll = ({ data }: Constant, value: number) => Array.from(data).every((v) => v === value);
  if (!isAll(weight, 1)) result = affine(net, step, result, given(1, perChannel(weight, c)), undefined);
  if (!isAll(bias, 0)) result = affine(net, step, result, undefined, given(2, perChannel(bias, c)));
  return result;
}

export const groupNormalization: Operator = (net, step, [input, ...parameters]) => {
  const x = net.images(step, input);
  const groups = numberOf(step, 'num_groups', 1);
  if (x.extents.c % groups !== 0) net.refuse(step, `parts ${x.extents.c} channels in ${groups} groups`);
  return groupNorm(net, step, x, groups, parameters);
};

/** Of images, or of groups of their channels that a Reshape laid beside each other, as PyTorch writes group norm. */
export const instanceNormalization: Operator = (net, step, [input, ...parameters]) => {
  const grouped = input?.kind === 'value' ? groupsOf(input) : undefined;
  if (!grouped || input?.kind !== 'value') {
    const x = net.images(step, input);
    return groupNorm(net, step, x, x.extents.c, parameters);
  }
  const view = viewOf(['n', 'c', 'h', 'w'], input.extents);
  const { value } = groupNorm(net, step, { ...input, view }, grouped, parameters);
  return { ...input, value };
};

/** The groups of a view `[n, groups, channels and pixels of a group]`; undefined of another. */
function groupsOf({ view, extents: { c }, pad, step, isSoftmax }: Shown): number | undefined {
  if (view.length !== 3 || pad || step || isSoftmax) return undefined;
  const [, [outer, ...more], inside] = view;
  if (!outer) return c > 1 && isWholeAmong(inside.slice(0, 1), 'c', c) ? 1 : undefined;
  if (outer.axis !== 'c' || more.length > 0 || outer.size * outer.stride !== c) return undefined;
  const isRest =
    outer.stride === 1 ||
    (inside[0]?.axis === 'c' && inside[0].size === outer.stride && inside[0].stride === 1);
  return isRest ? outer.size : undefined;
}
