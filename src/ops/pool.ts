import { UserError } from '../errors';
import type { Constants, Dispatch, GraphBuilder, Node, Op } from '../graph/ir';
import { elements, pitchOf, product, startOf, type Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import { workgroupsFor } from '../graph/workgroups';
import { type Prologue, prologueConstants } from './activation';
import { sharing } from './blocks';

/** PyTorch's names and meanings; pairs are [height, width]. */
export interface PoolAttributes {
  kernel: [number, number];
  stride: [number, number];
  /** above and left of the image; at the other sides too, unless `paddingEnd` is given */
  padding: [number, number];
  /** below and right of the image */
  paddingEnd?: [number, number];
  /** keep a last window that reaches over the edge */
  ceilMode?: boolean;
}

export interface AveragePoolAttributes extends PoolAttributes {
  /** divide by what of the window lies in the image and its padding (PyTorch's default), or in the image alone */
  countIncludePad: boolean;
}

/** torch.nn.functional.max_pool2d of x `[n, h, w, c]`. Of equal values the first takes the gradient, as PyTorch's does. */
export function maxPool2d(g: GraphBuilder, name: string, x: Tensor, attrs: PoolAttributes): Tensor {
  const y = g.tensor(name, outputShape(name, x, attrs));
  g.add(maxPoolOp, name, { x }, { y }, attrs);
  return y;
}

/** torch.nn.functional.avg_pool2d of x `[n, h, w, c]`. */
export function avgPool2d(g: GraphBuilder, name: string, x: Tensor, attrs: AveragePoolAttributes): Tensor {
  const y = g.tensor(name, outputShape(name, x, attrs));
  g.add(avgPoolOp, name, { x }, { y }, attrs);
  return y;
}

/** The mean over h and w: `[n, h, w, c]` to `[n, 1, 1, c]`. */
export function globalAvgPool(g: GraphBuilder, name: string, x: Tensor): Tensor {
  const [n, h, w, c] = x.shape;
  const y = g.tensor(name, [n, 1, 1, c]);
  // one window, the image
  const attrs: AveragePoolAttributes = {
    kernel: [h, w],
    stride: [1, 1],
    padding: [0, 0],
    countIncludePad: true,
  };
  g.add(avgPoolOp, name, { x }, { y }, attrs);
  return y;
}

/** Height and width of a pooling's output, as PyTorch gives them. */
export function poolOutputSize(input: [number, number], a: PoolAttributes): [number, number] {
  const { kernel, stride, padding, paddingEnd = padding } = a;
  const size = (j: 0 | 1): number => {
    const steps = (input[j] + padding[j] + paddingEnd[j] - kernel[j]) / stride[j];
    if (!a.ceilMode) return Math.floor(steps) + 1;
    const out = Math.ceil(steps) + 1;
    // a window must begin in the image or in the padding before it
    return (out - 1) * stride[j] >= input[j] + padding[j] ? out - 1 : out;
  };
  return [size(0), size(1)];
}

function outputShape(name: string, x: Tensor, a: PoolAttributes): number[] {
  const [n, h, w, c] = x.shape;
  const [oh, ow] = poolOutputSize([h, w], a);
  if (oh < 1 || ow < 1) {
    throw new UserError(
      `${name}: an image of ${h} x ${w} is too small to pool by ${a.kernel.join(' x ')}: use larger images.`,
    );
  }
  return [n, oh, ow, c];
}

/** The constants that the shaders of a pooling share; x and y may be gradients of that shape. */
function geometry(x: Tensor, y: Tensor, a: PoolAttributes): Constants {
  const { padding, paddingEnd = padding } = a;
  return {
    N: x.shape[0],
    H: x.shape[1],
    W: x.shape[2],
    OH: y.shape[1],
    OW: y.shape[2],
    C4: x.padded[3] / 4,
    Y_PITCH: pitchOf(y),
    Y_START: startOf(y),
    KH: a.kernel[0],
    KW: a.kernel[1],
    SH: a.stride[0],
    SW: a.stride[1],
    PH: padding[0],
    PW: padding[1],
    PADDED_H: padding[0] + x.shape[1] + paddingEnd[0],
    PADDED_W: padding[1] + x.shape[2] + paddingEnd[1],
  };
}

/** x may have a prologue. */
interface Forward<Attributes extends PoolAttributes> {
  inputs: { x: Tensor; coef?: Tensor };
  outputs: { y: Tensor };
  attrs: Attributes & Prologue;
}

function forwardDispatch(
  { inputs: { x, coef }, outputs: { y }, attrs }: Node<Forward<PoolAttributes>>,
  shader: string,
  constants: Constants,
): Dispatch {
  return {
    shader,
    constants: { ...geometry(x, y, attrs), ...prologueConstants(attrs), ...constants },
    reads: { x, coef },
    writes: { y },
    workgroups: workgroupsFor(elements(y) / 4),
    flops: elements(y) * attrs.kernel[0] * attrs.kernel[1],
  };
}

export const maxPoolOp: Op<Forward<PoolAttributes>> = {
  name: 'max_pool2d',
  lower: (node) => [forwardDispatch(node, 'pool/max_forward', {})],
  backward: ({ inputs: { x }, outputs: { y }, attrs, name }, tape) => {
    const dy = tape.gradient(y)!;
    tape.contribute(x, ({ out, addend }) =>
      tape.graph.add(maxPoolBackwardOp, name, { x, dy, addend }, { dx: out }, attrs),
    );
  },
};

/** x may have a prologue. */
interface MaxBackward {
  inputs: { x: Tensor; dy: Tensor; addend?: Tensor; coef?: Tensor };
  outputs: { dx: Tensor };
  attrs: PoolAttributes & Prologue;
}

export const maxPoolBackwardOp: Op<MaxBackward> = {
  name: 'max_pool2d_backward',
  lower: ({ inputs: { x, dy, addend, coef }, outputs: { dx }, attrs }) => [
    {
      shader: 'pool/max_backward',
      constants: {
        ...geometry(dx, dy, attrs),
        ...prologueConstants(attrs),
        ADDEND: addend !== undefined,
      },
      reads: { x, dy, addend, coef },
      writes: { dx },
      workgroups: workgroupsFor(elements(dx) / 4),
      flops: elements(dy) * (attrs.kernel[0] * attrs.kernel[1]) ** 2,
    },
  ],
};

/** How the windows of an average are shared: by several threads where windows are fewer than a quarter of those that fill the device. */
function windowSharing(y: Tensor, { kernel }: PoolAttributes, tuning: Tuning) {
  const vec4s = elements(y) / 4;
  const { constants, workgroups } = sharing(4 * vec4s < tuning.threads ? product(kernel) : 1, vec4s, tuning);
  const { WG, THREADS_PER_VEC4 } = constants;
  return { constants: { WG, THREADS_PER_VEC4 }, workgroups };
}

const countPad = (attrs: AveragePoolAttributes): Constants => ({ COUNT_PAD: attrs.countIncludePad });

export const avgPoolOp: Op<Forward<AveragePoolAttributes>> = {
  name: 'avg_pool2d',
  lower: (node, { tuning }) => {
    const { constants, workgroups } = windowSharing(node.outputs.y, node.attrs, tuning);
    const dispatch = forwardDispatch(node, 'pool/average_forward', { ...countPad(node.attrs), ...constants });
    return [{ ...dispatch, workgroups }];
  },
  backward: ({ inputs: { x }, outputs: { y }, attrs, name }, tape) => {
    const dy = tape.gradient(y)!;
    tape.contribute(x, ({ out, addend }) =>
      tape.graph.add(avgPoolBackwardOp, name, { dy, addend }, { dx: out }, attrs),
    );
  },
};

interface AverageBackward {
  /** `gate` `[n, 1, 1, c]`, which the addend is multiplied with */
  inputs: { dy: Tensor; addend?: Tensor; gate?: Tensor };
  outputs: { dx: Tensor };
  attrs: AveragePoolAttributes;
}

export const avgPoolBackwardOp: Op<AverageBackward> = {
  name: 'avg_pool2d_backward',
  lower: ({ inputs: { dy, addend, gate }, outputs: { dx }, attrs }) => [
    {
      shader: 'pool/average_backward',
      constants: {
        ...geometry(dx, dy, attrs),
        ...countPad(attrs),
        ADDEND: addend !== undefined,
        GATE: gate !== undefined,
      },
      reads: { dy, addend, gate },
      writes: { dx },
      workgroups: workgroupsFor(elements(dx) / 4),
      flops: elements(dy) * attrs.kernel[0] * attrs.kernel[1],
    },
  ],
};
