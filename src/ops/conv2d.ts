import { UserError } from '../errors';
import type { Graph, Node, Op } from '../graph/graph';
import { type Constants, workgroupsFor } from '../graph/plan';
import { elements, product, type Tensor } from '../graph/tensor';
import { biasGradient, splitsFor, sumSplits } from './reduce';

/** PyTorch's names and meanings; pairs are [height, width]. */
export interface ConvAttributes {
  stride: [number, number];
  padding: [number, number];
  dilation: [number, number];
  groups: number;
}

/** Height and width of a convolution's output, as torch.nn.Conv2d gives them. */
export function convOutputSize(
  size: [number, number],
  kernel: [number, number],
  a: Omit<ConvAttributes, 'groups'>,
): [number, number] {
  const at = (j: 0 | 1) =>
    Math.floor((size[j] + 2 * a.padding[j] - a.dilation[j] * (kernel[j] - 1) - 1) / a.stride[j]) + 1;
  return [at(0), at(1)];
}

/**
 * torch.nn.functional.conv2d. x `[n, h, w, ci]`, weight HWIO `[kh, kw, ci / groups, co]` (its input channels padded in
 * memory when groups is 1), bias `[co]` or none; gives `[n, oh, ow, co]`.
 */
export function conv2d(
  g: Graph,
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
  g.add(forward, name, [x, weight, bias], [y], attrs);
  return y;
}

/** The constants that the three shaders of a convolution share; x, w, y may be gradients of that shape. */
function geometry(x: Tensor, w: Tensor, y: Tensor, a: ConvAttributes): Constants {
  return {
    N: x.shape[0],
    H: x.shape[1],
    W: x.shape[2],
    OH: y.shape[1],
    OW: y.shape[2],
    CIP: x.padded[3],
    COP: y.padded[3],
    CI_GROUP: x.shape[3] / a.groups,
    CIG: w.padded[2],
    CO_GROUP: y.shape[3] / a.groups,
    KH: w.shape[0],
    KW: w.shape[1],
    SH: a.stride[0],
    SW: a.stride[1],
    PH: a.padding[0],
    PW: a.padding[1],
    DH: a.dilation[0],
    DW: a.dilation[1],
  };
}

const flopsOf = (y: Tensor, w: Tensor) => 2 * product(y.shape) * product(w.shape.slice(0, 3));

const forward: Op = {
  name: 'conv2d',
  lower: ({ inputs: [x, w, bias], outputs: [y], attrs }) => [
    {
      shader: 'conv/forward',
      constants: { ...geometry(x!, w!, y, attrs), CO: y.shape[3], BIAS: bias !== undefined },
      reads: { x, w, bias },
      writes: { y },
      workgroups: workgroupsFor(elements(y)),
      flops: flopsOf(y, w!),
    },
  ],
  backward: ({ inputs: [x, w, bias], outputs: [y], attrs, name }, tape) => {
    const dy = tape.gradient(y)!;
    if (bias) tape.contribute(bias, ({ out }) => biasGradient(tape.graph, `${name} bias`, dy, out));
    tape.contribute(w!, ({ out }) => tape.graph.add(backwardWeight, name, [x, dy], [out], attrs));
    tape.contribute(x!, ({ out, addend }) =>
      tape.graph.add(backwardInput, name, [dy, w, addend], [out], attrs),
    );
  },
};

const backwardInput: Op = {
  name: 'conv2d_backward_input',
  lower: ({ inputs: [dy, w, addend], outputs: [dx], attrs }) => [
    {
      shader: 'conv/backward_input',
      constants: { ...geometry(dx, w!, dy!, attrs), CI: dx.shape[3], ADDEND: addend !== undefined },
      reads: { dy, w, addend },
      writes: { dx },
      workgroups: workgroupsFor(elements(dx)),
      flops: flopsOf(dy!, w!),
    },
  ],
};

const backwardWeight: Op = {
  name: 'conv2d_backward_weight',
  lower: (node: Node, g: Graph) => {
    const {
      inputs: [x, dy],
      outputs: [dw],
      attrs,
      name,
    } = node;
    const splits = splitsFor(dy!.shape[0] * dy!.shape[1], elements(dw));
    const partial = g.tensor(`${name} partial`, [splits, elements(dw)]);
    return [
      {
        shader: 'conv/backward_weight',
        constants: { ...geometry(x!, dw, dy!, attrs), CO: dy!.shape[3], SPLITS: splits },
        reads: { x, dy },
        writes: { partial },
        workgroups: workgroupsFor(splits * elements(dw)),
        flops: flopsOf(dy!, dw),
      },
      sumSplits(partial, dw, splits),
    ];
  },
};
