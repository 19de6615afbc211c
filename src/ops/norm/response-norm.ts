import type { Dispatch, GraphBuilder, NoAttributes, Op, Tensors } from '../../graph/ir';
import { elements, type Tensor } from '../../graph/tensor';
import { workgroupsFor } from '../../graph/workgroups';
import { type Activation, prologueConstants } from '../activation';
import { splitsFor } from '../blocks';
import { mulFactorGradient } from '../mul';
import { biasGradient, partsOf } from '../reduce';

/**
 * Global response normalisation of ConvNeXtV2 (arXiv 2301.00808, section 4): y = x + weight * x * N + bias over x `[n, h, w, c]`,
 * where N = G / (mean of G over the channels + eps) and G `[n, 1, 1, c]` is the L2 norm of each channel of an image. weight and
 * bias `[c]`. A channel that is zero in an image has the gradient of the norm's other channels alone, as in PyTorch.
 */
export function globalResponseNorm(
  g: GraphBuilder,
  name: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  { eps }: { eps: number },
): Tensor {
  const y = g.tensor(name, x.shape);
  const response = g.tensor(`${name} response`, [x.shape[0], 2, x.shape[3]]);
  g.add(forward, name, { x, weight, bias }, { y, response }, { eps });
  return y;
}

/** How x is cut: images, the pixels of each, its channels and their vec4s. */
const shapeOf = (x: Tensor) => ({
  IMAGES: x.shape[0],
  PIXELS: x.shape[1] * x.shape[2],
  C4: x.padded[3] / 4,
  CHANNELS: x.shape[3],
});

/**
 * `gate` `[n, 2, c]` in the place of y: the factors and terms that make y of x, for convolutions that apply them as they read. x may
 * be activated as it is read.
 */
interface Forward {
  inputs: { x: Tensor; weight: Tensor; bias: Tensor };
  outputs: { y?: Tensor; response: Tensor; gate?: Tensor };
  attrs: { eps: number; inputActivation?: Activation };
}

const forward: Op<Forward> = {
  name: 'global_response_norm',
  lower: (
    { inputs: { x, weight, bias }, outputs: { y, response, gate }, attrs, name },
    context,
  ): Dispatch[] => {
    const { IMAGES, PIXELS, C4, CHANNELS } = shapeOf(x);
    const splits = splitsFor(PIXELS, IMAGES * C4, context.tuning.threads);
    const squares = context.temporary(`${name} squares`, [IMAGES, CHANNELS]);
    const { partial, finish } = partsOf(`${name} squares`, squares, splits, context);
    return [
      {
        shader: 'norm/response_squares',
        constants: { ...prologueConstants(attrs), IMAGES, PIXELS, C4, SPLITS: splits },
        reads: { x },
        writes: { partial },
        workgroups: workgroupsFor(splits * IMAGES * C4),
        flops: 2 * elements(x),
      },
      ...finish,
      {
        shader: 'norm/response_finish',
        constants: { C4, CHANNELS, EPS: attrs.eps, GATE: gate !== undefined },
        reads: gate ? { squares, weight, bias } : { squares },
        writes: { response, gate },
        workgroups: [IMAGES, 1, 1],
        flops: 6 * elements(squares),
      },
      ...(y ? [applyDispatch({ x, weight, bias, response }, y, attrs)] : []),
    ];
  },
  backward: ({ inputs: { x, weight, bias }, outputs: { y, response }, name }, tape) => {
    const g = tape.graph;
    const dy = tape.gradient(y!)!;
    tape.contribute(bias, ({ out }) => biasGradient(g, `${name} bias`, dy, out));
    if (!tape.needs(x) && !tape.needs(weight)) return;
    const products = g.tensor(`${name} products`, [x.shape[0], x.shape[3]]);
    // the gradient of a factor that an image's pixels share
    g.add(mulFactorGradient, name, { dy, a: x }, { db: products }, { factor: 1 });
    tape.contribute(weight, ({ out }) =>
      g.add(backwardWeight, name, { products, response }, { dweight: out }, {}),
    );
    tape.contribute(x, ({ out, addend }) =>
      g.add(backwardInput, name, { dy, x, weight, response, products, addend }, { dx: out }, {}),
    );
  },
};

function applyDispatch(reads: Tensors, y: Tensor, attrs: Forward['attrs']): Dispatch {
  const { PIXELS, C4 } = shapeOf(y);
  const size = elements(y) / 4;
  return {
    shader: 'norm/response_apply',
    constants: { ...prologueConstants(attrs), SIZE: size, C4, PIXELS },
    reads,
    writes: { y },
    workgroups: workgroupsFor(size),
    flops: 4 * elements(y),
  };
}

interface BackwardWeight {
  inputs: { products: Tensor; response: Tensor };
  outputs: { dweight: Tensor };
  attrs: NoAttributes;
}

const backwardWeight: Op<BackwardWeight> = {
  name: 'global_response_norm_backward_weight',
  lower: ({ inputs: { products, response }, outputs: { dweight } }) => {
    const C4 = products.padded[1] / 4;
    return [
      {
        shader: 'norm/response_backward_weight',
        constants: { IMAGES: products.shape[0], C4 },
        reads: { products, response },
        writes: { dweight },
        workgroups: workgroupsFor(C4),
        flops: 2 * elements(products),
      },
    ];
  },
};

interface ResponseGradient {
  /** x has this prologue */
  inputActivation?: Activation;
  /** what is written is the gradient before the prologue */
  derivative?: boolean;
}

interface BackwardInput {
  inputs: { dy: Tensor; x: Tensor; weight: Tensor; response: Tensor; products: Tensor; addend?: Tensor };
  outputs: { dx: Tensor };
  attrs: ResponseGradient;
}

const backwardInput: Op<BackwardInput> = {
  name: 'global_response_norm_backward_input',
  lower: (
    { inputs: { dy, x, weight, response, products, addend }, outputs: { dx }, attrs, name },
    { temporary },
  ): Dispatch[] => {
    const { IMAGES, PIXELS, C4, CHANNELS } = shapeOf(x);
    const size = elements(dx) / 4;
    const slope = temporary(`${name} slope`, [IMAGES, CHANNELS]);
    return [
      {
        shader: 'norm/response_backward_finish',
        constants: { C4, CHANNELS },
        reads: { products, weight, response },
        writes: { slope },
        workgroups: [IMAGES, 1, 1],
        flops: 6 * elements(slope),
      },
      {
        shader: 'norm/response_backward_apply',
        constants: {
          ...prologueConstants(attrs),
          DERIVATIVE: attrs.derivative ?? false,
          SIZE: size,
          C4,
          PIXELS,
          ADDEND: addend !== undefined,
        },
        reads: { dy, x, weight, response, slope, addend },
        writes: { dx },
        workgroups: workgroupsFor(size),
        flops: 5 * elements(dx),
      },
    ];
  },
};

/** The ops of a response norm, for passes over the graph that fuse them. */
export const responseNormOps = { forward, backwardInput };
