import type { Constants } from '../../graph/ir';
import { pad4 } from '../../graph/tensor';
import type { Tuning } from '../../graph/tuning';

/** A product of `rows` by `k4` and `k4` by `c4` vec4s of channels. */
export interface ProductShape {
  rows: number;
  c4: number;
  k4: number;
}

/** How the shaders of a product cut its result. */
export interface ProductCut {
  /** what the shader's name ends with */
  variant: '' | '_shared';
  /** the result's blocks of ROWS_PER_BLOCK rows, whose sums over rows are written together */
  constants: Constants & { ROWS_PER_BLOCK: number; BLOCKS: number };
  threads: number;
}

/** Rows and vec4s of channels that a thread computes at a time. */
interface Tile {
  rows: number;
  vec4s: number;
}

/** What a tile may measure on a side. */
export const SIDES = [8, 4, 2, 1];

const tilesWithin = (sums: number): Tile[] =>
  SIDES.flatMap((rows) => SIDES.map((vec4s): Tile => ({ rows, vec4s }))).filter(
    (t) => t.rows * t.vec4s <= sums,
  );

/** Rows a block at least where they are summed: a block's sums are written and read once more. */
const leastRowsPerBlock = (rows: number): number => Math.min(32, rows / 64);

/** Cuts a product for a device; `sums` where its shader sums over rows. */
export const cutProduct = (shape: ProductShape, sums: boolean, tuning: Tuning): ProductCut =>
  tuning.workgroupMemory ? cutForWorkgroups(shape, tuning) : cutForThreads(shape, sums, tuning);

function cutForThreads({ rows, c4 }: ProductShape, sums: boolean, tuning: Tuning): ProductCut {
  const tile = threadTile(rows, c4, tuning);
  const channelThreads = Math.ceil(c4 / tile.vec4s);
  const rowsPerBlock = sums ? rowsPerBlockFor(rows, channelThreads, tile, tuning.threads) : tile.rows;
  const blocks = Math.ceil(rows / rowsPerBlock);
  return {
    variant: '',
    constants: {
      ROWS: rows,
      ROWS_PER_TILE: tile.rows,
      VEC4S_PER_THREAD: tile.vec4s,
      SUMS: tile.rows * tile.vec4s,
      CHANNEL_THREADS: channelThreads,
      ROWS_PER_BLOCK: rowsPerBlock,
      BLOCKS: blocks,
      SUBGROUPS: tuning.subgroups,
    },
    threads: pad4(blocks) * channelThreads,
  };
}

/**
 * The tile of the fewest loads a product, what it computes beyond the edges counted in, among those that leave threads
 * enough to fill the device and whose sums fit a thread.
 */
function threadTile(rows: number, c4: number, { threads, sums, load, subgroups }: Tuning): Tile {
  const count = (tile: Tile) => Math.ceil(rows / tile.rows) * Math.ceil(c4 / tile.vec4s);
  const cost = (tile: Tile) =>
    count(tile) * (4 * tile.rows * tile.vec4s + load * (tile.rows + (subgroups ? 1 : 4) * tile.vec4s + 2));
  const fitting = tilesWithin(sums).filter((t) => count(t) >= threads / 4);
  const least = { rows: 1, vec4s: 1 };
  return fitting.reduce((best, tile) => (cost(tile) < cost(best) ? tile : best), least);
}

/** Rows that one thread goes through where it sums over them: few, while threads remain. */
function rowsPerBlockFor(rows: number, channelThreads: number, tile: Tile, threads: number): number {
  const wanted = Math.max((rows * channelThreads) / (threads / 4), leastRowsPerBlock(rows));
  return Math.max(1, Math.ceil(wanted / tile.rows)) * tile.rows;
}

/** Threads of a workgroup. */
const WORKGROUP = 64;
/** vec4s of workgroup memory that a workgroup should do with: 12 KiB of the 16 that every device has. */
const STAGED = 768;

/** The tiles of a workgroup's threads, `across` of them side by side: together the block that it makes. */
interface WorkgroupTiles extends Tile {
  across: number;
}

const rowsOf = (t: WorkgroupTiles) => (WORKGROUP / t.across) * t.rows;
const columnsOf = (t: WorkgroupTiles) => t.across * t.vec4s;
/** vec4s of workgroup memory for a vec4 of the channels summed over; the shader's VALUES + WEIGHTS */
const stagedBy = (t: WorkgroupTiles) => rowsOf(t) + 1 + 4 * columnsOf(t) + 1;

function cutForWorkgroups({ rows, c4, k4 }: ProductShape, tuning: Tuning): ProductCut {
  const tile = workgroupTiles(rows, c4, tuning);
  const across = Math.ceil(c4 / columnsOf(tile));
  const rowsPerBlock = rowsOf(tile);
  const blocks = Math.ceil(rows / rowsPerBlock);
  const depth = SIDES.find((s) => s * stagedBy(tile) <= STAGED && s < 2 * k4) ?? 1;
  return {
    variant: '_shared',
    constants: {
      ROWS: rows,
      ROWS_PER_TILE: tile.rows,
      VEC4S_PER_THREAD: tile.vec4s,
      SUMS: tile.rows * tile.vec4s,
      CHANNEL_THREADS: across * tile.across,
      ROWS_PER_BLOCK: rowsPerBlock,
      BLOCKS: blocks,
      ROW_STEP: WORKGROUP / tile.across,
      STAGE_DEPTH: depth,
      STAGED: Math.max(depth * stagedBy(tile), 2 * tile.vec4s * WORKGROUP),
    },
    threads: blocks * across * WORKGROUP,
  };
}

/**
 * As `threadTile`, where a workgroup loads for all its threads. From workgroup memory a load costs a quarter, an
 * assumption. At most four vec4s of channels a thread, whose sums then fit into what is staged.
 */
function workgroupTiles(rows: number, c4: number, { threads, sums, load }: Tuning): WorkgroupTiles {
  const count = (t: WorkgroupTiles) => Math.ceil(rows / rowsOf(t)) * Math.ceil(c4 / columnsOf(t));
  const cost = (t: WorkgroupTiles) =>
    count(t) *
    (WORKGROUP * (4 * t.rows * t.vec4s + (load / 4) * (t.rows + 4 * t.vec4s)) +
      load * (rowsOf(t) + 4 * columnsOf(t)));
  const fitting = tilesWithin(sums)
    .filter(({ vec4s }) => vec4s <= 4)
    .flatMap((tile) => [16, 8, 4, 2, 1].map((across) => ({ ...tile, across })))
    .filter((t) => count(t) * WORKGROUP >= threads / 4 && rowsOf(t) >= leastRowsPerBlock(rows));
  const least = { rows: 1, vec4s: 1, across: 8 };
  return fitting.reduce((best, tile) => (cost(tile) < cost(best) ? tile : best), least);
}
