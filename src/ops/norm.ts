import { type Constants, type Dispatch, workgroupsFor } from '../graph/plan';
import { elements, product, type Tensor } from '../graph/tensor';
import type { BlockGrid } from './conv-geometry';
import { splitsFor } from './reduce';

/** Rows (n, h, w) of an activation, vec4s of its channels, and the runs of rows that a sum over them is cut into. */
export function rowSplits(x: Tensor): { ROWS: number; C4: number; SPLITS: number } {
  const c4 = x.padded[3] / 4;
  const rows = product(x.shape.slice(0, 3));
  const run = Math.ceil(rows / splitsFor(rows, c4));
  return { ROWS: rows, C4: c4, SPLITS: Math.ceil(rows / run) };
}

/** Rows a run, where they are cut into `SPLITS` runs of one length but the last. */
export const runOf = ({ ROWS, SPLITS }: { ROWS: number; SPLITS: number }): number => Math.ceil(ROWS / SPLITS);

/** The runs of `rowSplits` as blocks one column wide. */
export const rowBlocks = (x: Tensor): BlockGrid => {
  const { ROWS, SPLITS } = rowSplits(x);
  return {
    count: SPLITS,
    rows: ROWS,
    rowsPerBlock: Math.ceil(ROWS / SPLITS),
    columns: 1,
    columnsPerBlock: 1,
  };
};

/** The constants of shaders/common/blocks.wgsl. */
export const blockSizes = (grid: BlockGrid): Constants => ({
  BLOCKS: grid.count,
  LINES: grid.rows,
  BLOCK_LINES: grid.rowsPerBlock,
  COLUMNS: grid.columns,
  BLOCK_COLUMNS: grid.columnsPerBlock,
});

/** Workgroups of the shaders that finish a sum over blocks: each owns four vec4s of channels. */
export const finishGroups = (c4: number): [number, number, number] => workgroupsFor(Math.ceil(c4 / 4), 1);

/** What a batch norm's backward pass needs besides the sums. */
export interface BatchGradient {
  coef: Tensor;
  bcoef: Tensor;
  /** coefficients of the batch norm before, copied to the front of `bcoef` */
  prefix?: Tensor;
}

/**
 * The gradients of a normalisation's weight and bias from `partial` `[blocks, 2, c]` of (sum g, sum g * xhat) over x;
 * with `batch`, also the coefficients `bcoef` `[3, c]` of the gradient of a batch norm's input.
 */
export function normGradients(
  x: Tensor,
  partial: Tensor,
  [dweight, dbias]: [Tensor, Tensor],
  batch?: BatchGradient,
): Dispatch {
  const { ROWS, C4 } = rowSplits(x);
  const prefix = batch?.prefix;
  return {
    shader: 'norm/backward_finish',
    constants: {
      ROWS,
      C4,
      BLOCKS: partial.shape[0],
      BATCH: batch !== undefined,
      PREFIX: prefix ? elements(prefix) / 4 : 0,
    },
    reads: { partial, coef: batch?.coef, prefix },
    writes: { dweight, dbias, bcoef: batch?.bcoef },
    workgroups: finishGroups(C4),
    flops: elements(partial),
  };
}
