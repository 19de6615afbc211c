import { UserError } from '../../errors';
import { type Graph, isNodeOf } from '../../graph/graph';
import type { Constants, GraphBuilder, Op } from '../../graph/ir';
import { elements, product, type Tensor } from '../../graph/tensor';
import { workgroupsFor } from '../../graph/workgroups';
import type { RefocusAttributes } from './dense';

export type FactoredRefocus = {
  /** the frozen basis, HWIO `[kh, kw, i, o]` */
  basis: Tensor;
  /** constant `[map groups, T, T]` with T = kh * kw taps: `gramOf` of src/model/refocus-math.ts */
  gram: Tensor;
  /** parameter `[1]`, 1 at the start and shared by all layers: what decay leaves of the map's start */
  scale: Tensor;
  /** constant of the basis' shape, the start's map times the im2col of the basis; none for a zero start */
  start?: Tensor;
  /** parameter of the basis' shape, zero at the start */
  m: Tensor;
};

/**
 * The refocusing transformation of a frozen basis in the exact factored form of the SGD family. SGD with momentum and
 * decay is linear and the map's gradient is dW_r = dW_t B^T with the constant im2col B of the basis, so for all time
 * W_r = a W_r0 + M B^T and
 *
 *     W_t = identity * W_b + a * start + M Gram,   Gram = B^T B,
 *
 * where M follows the map's own recursion with dW_t in the place of the gradient, and a that of a parameter without
 * gradient: `scale`'s gradient stays zero and only decay moves it. The gradient of the weight that this gives is M's.
 */
export function refocusFactored(
  g: GraphBuilder,
  name: string,
  tensors: FactoredRefocus,
  attrs: RefocusAttributes,
): Tensor {
  const { basis, gram, scale, start, m } = tensors;
  const [kh, kw, i, o] = basis.shape;
  const taps = kh * kw;
  const expected = [(o * i) / attrs.groups, taps, taps];
  if (gram.shape.join() !== expected.join()) {
    throw new UserError(
      `${name}: a Gram matrix of ${gram.shape.join(' x ')} does not fit a basis of ${o} x ${i} x ${kh} x ${kw} in ${attrs.groups} groups: it must be ${expected.join(' x ')}.`,
    );
  }
  const wt = g.tensor(name, basis.shape, { padded: basis.padded });
  wt.gradientOf = m;
  g.add(factored, name, { m, gram, basis, start, scale }, { wt }, attrs);
  return wt;
}

/** The constants of shaders/common/gram.wgsl for an m (or a gradient of its shape) and its Gram matrices. */
export function gramGeometry(m: Tensor, gram: Tensor): Constants {
  const [kh, kw, I, O] = m.shape;
  return {
    TAPS: kh * kw,
    ROW: gram.padded[2],
    I,
    IP: m.padded[2],
    O,
    O4: m.padded[3] / 4,
    P: (I * O) / gram.shape[0],
    ONE_GRAM: gram.shape[0] === 1,
  };
}

export const gramFlops = (m: Tensor, gram: Tensor) => 2 * product(m.shape) * gram.shape[1];

interface Factored {
  inputs: FactoredRefocus;
  outputs: { wt: Tensor };
  attrs: RefocusAttributes;
}

const factored: Op<Factored> = {
  name: 'refocus_factored',
  lower: ({ inputs: { m, gram, basis, start, scale }, outputs: { wt }, attrs: { identity } }) => {
    return [
      {
        shader: 'refocus/factored',
        constants: { ...gramGeometry(m, gram), IDENTITY: identity, START: start !== undefined },
        reads: { basis, start, m, gram, a: scale },
        writes: { wt },
        workgroups: workgroupsFor(elements(wt) / 4),
        flops: gramFlops(m, gram),
      },
    ];
  },
  // the gradient of wt is written as m's: nothing is left to compute
  backward: ({ inputs: { m }, outputs: { wt } }, tape) => {
    tape.pass(m, tape.gradient(wt)!, () => {
      throw new Error(`parameter ${m.name} is used twice: give each use its own node`);
    });
  },
};

/** A factored layer as gradient clipping sees it. */
export interface FactoredLayer {
  name: string;
  m: Tensor;
  gram: Tensor;
  /** the constants of shaders/common/gram.wgsl */
  constants: Constants;
  flops: number;
}

/** The graph's factored layers: the true norm of their map's gradient is trace(dM Gram dM^T), not |dM|^2. */
export function factoredLayers(g: Graph): FactoredLayer[] {
  return g.nodes
    .filter((node) => isNodeOf(node, factored))
    .map(({ name, inputs: { m, gram } }) => ({
      name,
      m,
      gram,
      constants: gramGeometry(m, gram),
      flops: gramFlops(m, gram),
    }));
}
