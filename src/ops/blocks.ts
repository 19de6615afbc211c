/** How the work of a dispatch is cut into parts; shaders/README.md says what they are called. */
import type { Constants } from '../graph/ir';
import { product, type Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import { workgroupsFor } from '../graph/workgroups';

/**
 * How images of `rows` by `columns` are cut into blocks, the last of a row or column smaller where it does not come out.
 * Block b of `count` has min(rowsPerBlock, rows - rowsPerBlock * (b / across % down)) rows and likewise columns, where
 * down = ceil(rows / rowsPerBlock) and across = ceil(columns / columnsPerBlock).
 */
export interface BlockGrid {
  /** of all images */
  count: number;
  rows: number;
  rowsPerBlock: number;
  columns: number;
  columnsPerBlock: number;
}

/** The grid of `n` images that are cut so. */
export const gridOf = (
  n: number,
  rows: number,
  rowsPerBlock: number,
  columns: number,
  columnsPerBlock: number,
): BlockGrid => ({
  count: n * Math.ceil(rows / rowsPerBlock) * Math.ceil(columns / columnsPerBlock),
  rows,
  rowsPerBlock,
  columns,
  columnsPerBlock,
});

/**
 * Cuts images of `rows` by `columns` into blocks of `columnsPerBlock` columns and as many rows (four or more, the same
 * for each block) as leave about `threads` threads, `perBlock` to each.
 */
export function blockGrid(
  n: number,
  rows: number,
  columns: number,
  columnsPerBlock: number,
  perBlock: number,
  threads: number,
): BlockGrid {
  const across = Math.ceil(columns / columnsPerBlock);
  const wanted = Math.round(threads / (n * across * perBlock));
  const rowsPerBlock = Math.ceil(rows / Math.max(1, Math.min(wanted, Math.floor(rows / 4))));
  return gridOf(n, rows, rowsPerBlock, columns, columnsPerBlock);
}

/** Pixels as rows of a matrix, (n, h, w) one after the other: a grid one column wide. */
export const lineGrid = (rows: number, rowsPerBlock: number): BlockGrid =>
  gridOf(1, rows, rowsPerBlock, 1, 1);

/** The pixels of an activation as a matrix that is cut by its rows, for a sum over them. */
export function pixelGrid(x: Tensor, tuning: Tuning): BlockGrid {
  const { ROWS, C4 } = pixelRows(x);
  return lineGrid(ROWS, Math.ceil(ROWS / splitsFor(ROWS, C4, tuning.threads)));
}

/** A grid as the shaders know it that make its blocks. */
export const blockConstants = (g: BlockGrid): Constants => ({
  COLUMNS_PER_BLOCK: g.columnsPerBlock,
  ROWS_PER_BLOCK: g.rowsPerBlock,
  BLOCKS_ACROSS: Math.ceil(g.columns / g.columnsPerBlock),
  BLOCKS_DOWN: Math.ceil(g.rows / g.rowsPerBlock),
});

/** A grid as the shaders know it that finish sums over its blocks: the constants of shaders/common/blocks.wgsl. */
export const gridConstants = (g: BlockGrid): Constants => ({
  BLOCKS: g.count,
  GRID_ROWS: g.rows,
  ROWS_PER_BLOCK: g.rowsPerBlock,
  GRID_COLUMNS: g.columns,
  COLUMNS_PER_BLOCK: g.columnsPerBlock,
});

/** The pixels (n, h, w) of an activation, and the vec4s of its channels. */
export const pixelRows = (x: Tensor): { ROWS: number; C4: number } => ({
  ROWS: product(x.shape.slice(0, 3)),
  C4: x.padded[3] / 4,
});

/** Splits of a sum over the pixels of an activation: of equal length, but that they need not be in one piece. */
export const pixelSplits = (x: Tensor, tuning: Tuning) => ({
  ...pixelRows(x),
  SPLITS: pixelGrid(x, tuning).count,
});

/** Splits of a sum over `rows`, so that about `threads` share it and each has 16 rows or more. */
export const splitsFor = (rows: number, threadsPerSplit: number, threads: number): number =>
  Math.max(1, Math.min(Math.ceil(threads / threadsPerSplit), Math.ceil(rows / 16)));

/**
 * How the sum over pixels that is a weight's gradient is cut, where `threads` hold the weight (shaders/common/splits.wgsl): into
 * as few splits as fill the device, `most` at most, since the parts that workgroups write are read once more.
 */
export function weightSplits(threads: number, most: number, tuning: Tuning) {
  const wanted = Math.max(1, Math.min(Math.ceil(tuning.threads / 2 / threads), most));
  const shared = Math.min(tuning.sharedSplits, 2 ** Math.floor(Math.log2(wanted)));
  const parts = Math.ceil(wanted / shared);
  return { splits: parts * shared, shared, parts, workgroups: workgroupsFor(parts * threads, 64 / shared) };
}

/**
 * Threads that share a sum of `terms`: one while these are no more than `serial` of the tuning, then as many as leave each no
 * more, up to 256.
 */
export const threadsFor = (terms: number, { serial }: Pick<Tuning, 'serial'>): number =>
  [1, 16, 64].find((threads) => terms <= threads * serial) ?? 256;

/**
 * How the shaders that finish a sum share it, for each of `c4` vec4s: workgroup size, threads a vec4, terms that a thread
 * loads at a time, workgroups.
 */
export function sharing(terms: number, c4: number, tuning: Tuning) {
  const THREADS_PER_VEC4 = threadsFor(terms, tuning);
  const WG = Math.max(64, THREADS_PER_VEC4);
  return {
    constants: { WG, THREADS_PER_VEC4, TERMS_AT_A_TIME: THREADS_PER_VEC4 > 1 ? 4 : 1 },
    workgroups: workgroupsFor(c4, WG / THREADS_PER_VEC4),
  };
}
