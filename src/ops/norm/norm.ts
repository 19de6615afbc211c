import type { Constants, Dispatch } from '../../graph/ir';
import { elements, product, type Tensor } from '../../graph/tensor';
import type { Tuning } from '../../graph/tuning';
import { workgroupsFor } from '../../graph/workgroups';
import type { BlockGrid } from '../conv/geometry';
import { splitsFor } from '../reduce';

/** Rows (n, h, w) of an activation and vec4s of its channels. */
export const rowCounts = (x: Tensor): { ROWS: number; C4: number } => ({
  ROWS: product(x.shape.slice(0, 3)),
  C4: x.padded[3] / 4,
});

/** The same, and the runs of rows that a sum over them is cut into. */
export function rowSplits(x: Tensor, tuning: Tuning): { ROWS: number; C4: number; SPLITS: number } {
  const { ROWS, C4 } = rowCounts(x);
  const run = Math.ceil(ROWS / splitsFor(ROWS, C4, tuning.threads));
  return { ROWS, C4, SPLITS: Math.ceil(ROWS / run) };
}

/** Rows a run, where they are cut into `SPLITS` runs of one length but the last. */
export const runOf = ({ ROWS, SPLITS }: { ROWS: number; SPLITS: number }): number => Math.ceil(ROWS / SPLITS);

/** The runs of `rowSplits` as blocks one column wide. */
export const rowBlocks = (x: Tensor, tuning: Tuning): BlockGrid => {
  const { ROWS, SPLITS } = rowSplits(x, tuning);
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

/** How the shaders that finish a sum over blocks share it: threads a vec4 of channels, vec4s a workgroup, workgroups. */
export function finishing(blocks: number, c4: number, { serial }: Tuning) {
  const SLICES = blocks > serial ? 16 : 1;
  const LANES = 64 / SLICES;
  return { constants: { SLICES, LANES }, workgroups: workgroupsFor(c4, LANES) };
}

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
  tuning: Tuning,
  batch?: BatchGradient,
): Dispatch {
  const { ROWS, C4 } = rowCounts(x);
  const prefix = batch?.prefix;
  const { constants, workgroups } = finishing(partial.shape[0], C4, tuning);
  return {
    shader: 'norm/backward_finish',
    constants: {
      ...constants,
      ROWS,
      C4,
      BLOCKS: partial.shape[0],
      BATCH: batch !== undefined,
      PREFIX: prefix ? elements(prefix) / 4 : 0,
    },
    reads: { partial, coef: batch?.coef, prefix },
    writes: { dweight, dbias, bcoef: batch?.bcoef },
    workgroups,
    flops: elements(partial),
  };
}
