import { UserError } from '../../errors';
import type { GraphBuilder, Op } from '../../graph/ir';
import type { Tensor } from '../../graph/tensor';
import type { Tuning } from '../../graph/tuning';
import { biasGradient } from '../reduce';
import { dense } from './dense';
import { depthwise } from './depthwise';
import { direct } from './direct';
import {
  backwardInputTensors,
  backwardWeightTensors,
  type ConvAttributes,
  type ConvBackwardInput,
  type ConvBackwardWeight,
  type ConvFamily,
  type ConvForward,
  type ConvTensors,
  forwardTensors,
} from './family';
import { gemm } from './gemm';
import { pointwise } from './pointwise';
import { whole } from './whole';

export type { ConvAttributes } from './family';

/** Height and width of a convolution's output, as torch.nn.Conv2d gives them, or after torch.nn.functional.pad with other sides. */
export function convOutputSize(
  size: [number, number],
  kernel: [number, number],
  a: Omit<ConvAttributes, 'groups'>,
): [number, number] {
  const { padding, paddingEnd = padding } = a;
  const at = (j: 0 | 1) =>
    Math.floor((size[j] + padding[j] + paddingEnd[j] - a.dilation[j] * (kernel[j] - 1) - 1) / a.stride[j]) +
    1;
  return [at(0), at(1)];
}

/**
 * torch.nn.functional.conv2d. x `[n, h, w, ci]`, weight HWIO `[kh, kw, ci / groups, co]` (its input channels padded in
 * memory when groups is 1), bias `[co]` or none; gives `[n, oh, ow, co]`.
 */
export function conv2d(
  g: GraphBuilder,
  name: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  attrs: ConvAttributes,
): Tensor {
  const [n, h, w, ci] = x.shape;
  const [kh, kw, cig, co] = weight.shape;
  if (cig * attrs.groups !== ci || co % attrs.groups) {
    throw new UserError(
      `${name}: a weight of ${co} x ${cig} x ${kh} x ${kw} in ${attrs.groups} groups does not fit ${ci} input channels.`,
    );
  }
  const [oh, ow] = convOutputSize([h, w], [kh, kw], attrs);
  if (oh < 1 || ow < 1)
    throw new UserError(
      `${name}: an image of ${h} x ${w} is too small for a ${kh} x ${kw} kernel: use larger images.`,
    );
  const y = g.tensor(name, [n, oh, ow, co]);
  g.add(forward, name, { x, w: weight, bias }, { y }, attrs);
  return y;
}

/** The shaders for a convolution: the first family that fits. */
export const convFamily = (t: ConvTensors, tuning: Tuning): ConvFamily =>
  FAMILIES.find((f) => f.fits(t, tuning)) ?? direct;

const FAMILIES = [depthwise, whole, gemm, pointwise, dense];

const forward: Op<ConvForward> = {
  name: 'conv2d',
  lower: (node, context) => convFamily(forwardTensors(node), context.tuning).forward(node, context),
  backward: ({ inputs: { x, w, bias }, outputs: { y }, attrs, name }, tape) => {
    const dy = tape.gradient(y)!;
    if (bias) tape.contribute(bias, ({ out }) => biasGradient(tape.graph, `${name} bias`, dy, out));
    tape.contribute(w, ({ out }) => tape.graph.add(backwardWeight, name, { x, dy }, { dw: out }, attrs));
    tape.contribute(x, ({ out, addend }) =>
      tape.graph.add(backwardInput, name, { dy, w, addend }, { dx: out }, attrs),
    );
  },
};

const backwardInput: Op<ConvBackwardInput> = {
  name: 'conv2d_backward_input',
  lower: (node, context) =>
    convFamily(backwardInputTensors(node), context.tuning).backwardInput(node, context),
};

const backwardWeight: Op<ConvBackwardWeight> = {
  name: 'conv2d_backward_weight',
  lower: (node, context) =>
    convFamily(backwardWeightTensors(node), context.tuning).backwardWeight(node, context),
};

/** The ops of a convolution's three passes, for passes over the graph that fuse them. */
export const convOps = { forward, backwardInput, backwardWeight };
