import { UserError } from '../../errors';
import type { GraphBuilder, NoAttributes, Op } from '../../graph/ir';
import { elements, type Tensor } from '../../graph/tensor';
import { workgroupsFor } from '../../graph/workgroups';
import { copyDispatch } from '../copy';
import { gramFlops, gramGeometry } from './factored';

export type PreconditionedWeight = {
  /** the weight that training starts from, constant, HWIO `[kh, kw, i, o]` */
  base: Tensor;
  /** constant `[matrices, T, T]` with T = kh * kw taps, symmetric: one for all planes, or one each for equal runs of them */
  matrix: Tensor;
  /** parameter of the base's shape, zero at the start */
  change: Tensor;
};

/**
 * W = W_b + D, where D's gradient is dW P, that of the weight times a constant matrix over its taps. With P = BᵀB it is the
 * factored refocusing in other coordinates: D = M BᵀB there, and SGD with momentum and decay of M moves D by the same rule with
 * dM BᵀB in the place of dM. Decay pulls D to zero, and so W to where it started.
 */
export function preconditioned(
  g: GraphBuilder,
  name: string,
  { base, matrix, change }: PreconditionedWeight,
): Tensor {
  const [kh, kw, i, o] = base.shape;
  const [count, rows, columns] = matrix.shape;
  if (rows !== kh * kw || columns !== kh * kw || (o * i) % count !== 0) {
    throw new UserError(
      `${name}: a preconditioner of ${matrix.shape.join(' x ')} does not fit a weight of ${o} x ${i} x ${kh} x ${kw}.`,
    );
  }
  const weight = g.tensor(name, base.shape, { padded: base.padded });
  g.add(weightOp, name, { base, matrix, change }, { weight }, {});
  return weight;
}

interface Weight {
  inputs: PreconditionedWeight;
  outputs: { weight: Tensor };
  attrs: NoAttributes;
}

const weightOp: Op<Weight> = {
  name: 'preconditioned_weight',
  lower: ({ inputs: { base, change }, outputs: { weight } }) => [copyDispatch(base, change, weight)],
  backward: ({ inputs: { matrix, change }, outputs: { weight }, name }, tape) => {
    const dw = tape.gradient(weight)!;
    tape.contribute(change, ({ out }) => tape.graph.add(gradientOp, name, { dw, matrix }, { out }, {}));
  },
};

interface Gradient {
  inputs: { dw: Tensor; matrix: Tensor };
  outputs: { out: Tensor };
  attrs: NoAttributes;
}

const gradientOp: Op<Gradient> = {
  name: 'precondition',
  lower: ({ inputs: { dw, matrix }, outputs: { out } }) => [
    {
      shader: 'refocus/precondition',
      constants: gramGeometry(dw, matrix),
      reads: { m: dw, gram: matrix },
      writes: { out },
      workgroups: workgroupsFor(elements(out) / 4),
      flops: gramFlops(dw, matrix),
    },
  ],
};
