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
  /** RUN rows are summed together where there are sums over rows, RUNS times */
  constants: Constants & { RUN: number; RUNS: number };
  threads: number;
}

/** Rows and vec4s of channels that a thread computes at a time. */
interface Tile {
  rows: number;
  quads: number;
}

/** What a tile may measure on a side. */
export const SIDES = [8, 4, 2, 1];

const tilesWithin = (sums: number): Tile[] =>
  SIDES.flatMap((rows) => SIDES.map((quads): Tile => ({ rows, quads }))).filter(
    (t) => t.rows * t.quads <= sums,
  );

/** Rows whose sums are written together at least: each sum is written and read once more. */
const leastRun = (rows: number): number => Math.min(32, rows / 64);

/** Cuts a product for a device; `sums` where its shader sums over rows. */
export const cutProduct = (shape: ProductShape, sums: boolean, tuning: Tuning): ProductCut =>
  tuning.workgroupMemory ? cutForWorkgroups(shape, tuning) : cutForThreads(shape, sums, tuning);

function cutForThreads({ rows, c4 }: ProductShape, sums: boolean, tuning: Tuning): ProductCut {
  const tile = threadTile(rows, c4, tuning);
  const groups = Math.ceil(c4 / tile.quads);
  const run = sums ? runFor(rows, groups, tile, tuning.threads) : tile.rows;
  const runs = Math.ceil(rows / run);
  return {
    variant: '',
    constants: {
      ROWS: rows,
      TILE: tile.rows,
      QUADS: tile.quads,
      SUMS: tile.rows * tile.quads,
      GROUPS: groups,
      RUN: run,
      RUNS: runs,
      SUBGROUPS: tuning.subgroups,
    },
    threads: pad4(runs) * groups,
  };
}

/**
 * The tile of the fewest loads a product, what it computes beyond the edges counted in, among those that leave threads
 * enough to fill the device and whose sums fit a thread.
 */
function threadTile(rows: number, c4: number, { threads, sums, load, subgroups }: Tuning): Tile {
  const count = (tile: Tile) => Math.ceil(rows / tile.rows) * Math.ceil(c4 / tile.quads);
  const cost = (tile: Tile) =>
    count(tile) * (4 * tile.rows * tile.quads + load * (tile.rows + (subgroups ? 1 : 4) * tile.quads + 2));
  const fitting = tilesWithin(sums).filter((t) => count(t) >= threads / 4);
  const least = { rows: 1, quads: 1 };
  return fitting.reduce((best, tile) => (cost(tile) < cost(best) ? tile : best), least);
}

/** Rows that one thread goes through where it sums over them: few, while threads remain. */
function runFor(rows: number, groups: number, tile: Tile, threads: number): number {
  const wanted = Math.max((rows * groups) / (threads / 4), leastRun(rows));
  return Math.max(1, Math.ceil(wanted / tile.rows)) * tile.rows;
}

/** Threads of a workgroup. */
const WORKGROUP = 64;
/** vec4s of workgroup memory that a workgroup should do with: 12 KiB of the 16 that every device has. */
const STAGED = 768;

/** A tile of a workgroup: `lanes` threads side by side, each with its own tile. */
interface WorkgroupTile extends Tile {
  lanes: number;
}

const rowsOf = (t: WorkgroupTile) => (WORKGROUP / t.lanes) * t.rows;
const columnsOf = (t: WorkgroupTile) => t.lanes * t.quads;
/** vec4s of workgroup memory for a vec4 of the channels summed over; the shader's VALUES + WEIGHTS */
const stagedBy = (t: WorkgroupTile) => rowsOf(t) + 1 + 4 * columnsOf(t) + 1;

function cutForWorkgroups({ rows, c4, k4 }: ProductShape, tuning: Tuning): ProductCut {
  const tile = workgroupTile(rows, c4, tuning);
  const across = Math.ceil(c4 / columnsOf(tile));
  const run = rowsOf(tile);
  const runs = Math.ceil(rows / run);
  const slice = SIDES.find((s) => s * stagedBy(tile) <= STAGED && s < 2 * k4) ?? 1;
  return {
    variant: '_shared',
    constants: {
      ROWS: rows,
      TILE: tile.rows,
      QUADS: tile.quads,
      SUMS: tile.rows * tile.quads,
      GROUPS: across * tile.lanes,
      RUN: run,
      RUNS: runs,
      ROW_STEP: WORKGROUP / tile.lanes,
      SLICE: slice,
      STAGED: Math.max(slice * stagedBy(tile), 2 * tile.quads * WORKGROUP),
    },
    threads: runs * across * WORKGROUP,
  };
}

/**
 * As `threadTile`, where a workgroup loads for all its threads. From workgroup memory a load costs a quarter, an
 * assumption. At most four vec4s of channels a thread, whose sums then fit into what is staged.
 */
function workgroupTile(rows: number, c4: number, { threads, sums, load }: Tuning): WorkgroupTile {
  const count = (t: WorkgroupTile) => Math.ceil(rows / rowsOf(t)) * Math.ceil(c4 / columnsOf(t));
  const cost = (t: WorkgroupTile) =>
    count(t) *
    (WORKGROUP * (4 * t.rows * t.quads + (load / 4) * (t.rows + 4 * t.quads)) +
      load * (rowsOf(t) + 4 * columnsOf(t)));
  const fitting = tilesWithin(sums)
    .filter(({ quads }) => quads <= 4)
    .flatMap((tile) => [16, 8, 4, 2, 1].map((lanes) => ({ ...tile, lanes })))
    .filter((t) => count(t) * WORKGROUP >= threads / 4 && rowsOf(t) >= leastRun(rows));
  const least = { rows: 1, quads: 1, lanes: 8 };
  return fitting.reduce((best, tile) => (cost(tile) < cost(best) ? tile : best), least);
}
