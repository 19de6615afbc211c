import { type Dispatch, workgroupsFor } from '../graph/plan';
import { elements, product, type Tensor } from '../graph/tensor';
import { splitsFor } from './reduce';

/** Rows (n, h, w) and vec4s of channels of an activation, and the splits that a sum over its rows is cut into. */
export function rowSplits(x: Tensor): { ROWS: number; C4: number; SPLITS: number } {
  const c4 = x.padded[3] / 4;
  const rows = product(x.shape.slice(0, 3));
  return { ROWS: rows, C4: c4, SPLITS: splitsFor(rows, c4) };
}

/**
 * The gradients of a normalisation's weight and bias from `partial` `[splits, 2, c]` of (sum g, sum g * xhat); with
 * `batch`, also the coefficients `bcoef` `[3, c]` of the gradient of a batch norm's input.
 */
export function normGradients(
  x: Tensor,
  partial: Tensor,
  [dweight, dbias]: [Tensor, Tensor],
  batch?: { coef: Tensor; bcoef: Tensor },
): Dispatch {
  const shape = rowSplits(x);
  return {
    shader: 'norm/backward_finish',
    constants: { ...shape, BATCH: batch !== undefined },
    reads: { partial, coef: batch?.coef },
    writes: { dweight, dbias, bcoef: batch?.bcoef },
    workgroups: workgroupsFor(shape.C4),
    flops: elements(partial),
  };
}
