import type { Dispatch, Tape } from '../../graph/ir';
import { elements, type Tensor } from '../../graph/tensor';
import type { Tuning } from '../../graph/tuning';
import { pixelRows, sharing } from '../blocks';

/** Where the gradients of a normalisation's weight and bias `[c]` go; what is not wanted goes to a tensor that nobody reads. */
export function parameterGradients(
  tape: Tape,
  name: string,
  { weight, bias }: { weight: Tensor; bias: Tensor },
): { dweight: Tensor; dbias: Tensor } {
  const targetOf = (t: Tensor, unread: string): Tensor => {
    let target = tape.graph.tensor(`${name} ${unread}`, t.shape);
    tape.contribute(t, ({ out }) => {
      target = out;
    });
    return target;
  };
  return { dweight: targetOf(weight, 'dweight'), dbias: targetOf(bias, 'dbias') };
}

/** What a batch norm's backward pass needs besides the sums. */
export interface BatchGradient {
  coef: Tensor;
  bcoef: Tensor;
  /** coefficients of the batch norm before, copied to the front of `bcoef` */
  prefix?: Tensor;
  /** `[2, c or more]`, the (B, C) that norms of concatenations that begin with x left to this one: added to its own */
  later?: Tensor;
  /** `[2, c]`, what this one leaves: bcoef is then (1, B, C) of x's last channels, as many as it has room for */
  rest?: Tensor;
}

/**
 * The gradients of a normalisation's weight and bias from `partial` `[blocks, 2, c]` of (sum g, sum g * xhat) over x;
 * with `batch`, also the coefficients `bcoef` `[3, c]` of the gradient of a batch norm's input.
 */
export function normGradients(
  x: Tensor,
  partial: Tensor,
  [dweight, dbias]: [Tensor, Tensor],
  tuning: Tuning,
  batch?: BatchGradient,
): Dispatch {
  const { ROWS, C4 } = pixelRows(x);
  const prefix = batch?.prefix;
  const { later, rest } = batch ?? {};
  const own = rest ? (elements(batch!.bcoef) - (prefix ? elements(prefix) : 0)) / 12 : C4;
  const { constants, workgroups } = sharing(partial.shape[0], C4, tuning);
  return {
    shader: 'norm/backward_finish',
    constants: {
      ...constants,
      ROWS,
      C4,
      BLOCKS: partial.shape[0],
      BATCH: batch !== undefined,
      PREFIX: prefix ? elements(prefix) / 4 : 0,
      LATER: later ? later.padded[1] / 4 : 0,
      REST: rest !== undefined,
      FROM: C4 - own,
    },
    reads: { partial, coef: batch?.coef, prefix, later },
    writes: { dweight, dbias, bcoef: batch?.bcoef, rest },
    workgroups,
    flops: elements(partial),
  };
}
