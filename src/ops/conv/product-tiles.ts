import type { Constants } from '../../graph/ir';
import { pad4 } from '../../graph/tensor';
import type { Tuning } from '../../graph/tuning';

/** A product's result: `rows` by `c4` vec4s of channels. */
export interface ProductShape {
  rows: number;
  c4: number;
}

/** How the shaders of a product cut its result. */
export interface ProductCut {
  /** the result's blocks of ROWS_PER_BLOCK rows, whose sums over rows are written together */
  constants: Constants & { ROWS_PER_BLOCK: number; BLOCKS: number };
  threads: number;
}

/** Rows and vec4s of channels that a thread computes at a time. */
export interface Tile {
  rows: number;
  vec4s: number;
}

/** What a tile may measure on a side. */
export const SIDES = [8, 4, 2, 1];

/** Tiles of so many vec4s at most. */
export const tilesWithin = (sums: number): Tile[] =>
  SIDES.flatMap((rows) => SIDES.map((vec4s): Tile => ({ rows, vec4s }))).filter(
    (t) => t.rows * t.vec4s <= sums,
  );

/** Rows a block at least where they are summed: a block's sums are written and read once more. */
export const leastRowsPerBlock = (rows: number): number => Math.min(32, rows / 64);

/** Cuts a product for a device; `sums` where its shader sums over rows. */
export function cutProduct({ rows, c4 }: ProductShape, sums: boolean, tuning: Tuning): ProductCut {
  const tile = threadTile(rows, c4, tuning);
  const channelThreads = Math.ceil(c4 / tile.vec4s);
  const rowsPerBlock = sums ? rowsPerBlockFor(rows, channelThreads, tile, tuning.threads) : tile.rows;
  const blocks = Math.ceil(rows / rowsPerBlock);
  return {
    constants: {
      ROWS: rows,
      ROWS_PER_TILE: tile.rows,
      VEC4S_PER_THREAD: tile.vec4s,
      SUMS: tile.rows * tile.vec4s,
      ...inTurns('VEC4S_AT_A_TIME', tile.vec4s, tile.rows, tuning),
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

/** Turns of the loop that writes a tile of `count` parts, each of so many vec4s, and under its name how many parts a turn writes. */
export function inTurns(name: string, count: number, vec4s: number, { written }: Tuning): Constants {
  const atATime = SIDES.find((n) => n <= count && n * vec4s <= written) ?? 1;
  return { TURNS: count / atATime, IN_TURNS: atATime < count, [name]: atATime };
}

/** Rows that one thread goes through where it sums over them: few, while threads remain. */
function rowsPerBlockFor(rows: number, channelThreads: number, tile: Tile, threads: number): number {
  const wanted = Math.max((rows * channelThreads) / (threads / 4), leastRowsPerBlock(rows));
  return Math.max(1, Math.ceil(wanted / tile.rows)) * tile.rows;
}
