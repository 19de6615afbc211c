import type { Graph, Node } from '../graph/graph';
import { type Constants, type Dispatch, workgroupsFor } from '../graph/plan';
import { elements, pad4, product, type Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import {
  type BlockGrid,
  backwardInputTensors,
  backwardWeightTensors,
  type ConvFamily,
  convFlops,
  forwardConstants,
  forwardTensors,
  gradientConstants,
  inputConstants,
  quads,
} from './conv-geometry';
import { sumSplits } from './reduce';

const rowsOf = (t: Tensor) => product(t.shape.slice(0, 3));

/** Rows and vec4s of channels that a thread computes at a time. */
interface Tile {
  rows: number;
  quads: number;
}

const SIDES = [8, 4, 2, 1];

/**
 * The tile of the fewest loads a product, what it computes beyond the edges counted in, among those that leave threads
 * enough to fill the device and whose sums fit a thread.
 */
function tileFor(rows: number, c4: number, { threads, sums, load, subgroups }: Tuning): Tile {
  const tiles = SIDES.flatMap((r) => SIDES.map((q): Tile => ({ rows: r, quads: q })));
  const count = (tile: Tile) => Math.ceil(rows / tile.rows) * Math.ceil(c4 / tile.quads);
  const cost = (tile: Tile) =>
    count(tile) * (4 * tile.rows * tile.quads + load * (tile.rows + (subgroups ? 1 : 4) * tile.quads + 2));
  const fitting = tiles.filter((t) => t.rows * t.quads <= sums && count(t) >= threads / 4);
  const least = { rows: 1, quads: 1 };
  return fitting.reduce((best, tile) => (cost(tile) < cost(best) ? tile : best), least);
}

/** Rows that one thread goes through where it sums over them: a sum is written and read once more, so few, while threads remain. */
function runFor(rows: number, groups: number, tile: Tile, threads: number): number {
  const wanted = Math.max((rows * groups) / (threads / 4), Math.min(32, rows / 64));
  return Math.max(1, Math.ceil(wanted / tile.rows)) * tile.rows;
}

/** The constants that forward and backward_input share: tiles over `rows` by the `c4` vec4s that they produce. */
function tiling(
  rows: number,
  c4: number,
  sums: boolean,
  tuning: Tuning,
): Constants & { RUN: number; RUNS: number; GROUPS: number } {
  const tile = tileFor(rows, c4, tuning);
  const groups = Math.ceil(c4 / tile.quads);
  const run = sums ? runFor(rows, groups, tile, tuning.threads) : tile.rows;
  return {
    ROWS: rows,
    TILE: tile.rows,
    QUADS: tile.quads,
    SUMS: tile.rows * tile.quads,
    GROUPS: groups,
    RUN: run,
    RUNS: Math.ceil(rows / run),
  };
}

/**
 * vec4s of input and of output channels whose products a thread of backward_weight sums: those of the fewest loads a
 * product, what it computes beyond the edges counted in. Each vec4 of dy behind a batch norm takes two loads.
 */
function weightTile(x4: number, y4: number, { sums, load }: Tuning): { xq: number; yq: number } {
  const cost = ({ xq, yq }: { xq: number; yq: number }) =>
    Math.ceil(x4 / xq) * Math.ceil(y4 / yq) * (4 * xq * yq + load * (xq + 2 * yq));
  const tiles = SIDES.flatMap((xq) => SIDES.map((yq) => ({ xq, yq }))).filter(
    ({ xq, yq }) => xq * yq <= sums / 2,
  );
  return tiles.reduce((best, tile) => (cost(tile) < cost(best) ? tile : best));
}

function forward(node: Node, { tuning }: Graph): Dispatch[] {
  const tensors = forwardTensors(node);
  const { t, bias, coef, residual, partial } = tensors;
  const tiles = tiling(rowsOf(t.y), quads(t.y), partial !== undefined, tuning);
  return [
    {
      shader: 'pointwise/forward',
      constants: {
        ...tiles,
        ...forwardConstants(tensors),
        CI4: quads(t.x),
        CO4: quads(t.y),
        SUBGROUPS: tuning.subgroups,
      },
      reads: { x: t.x, w: t.w, bias, coef, residual },
      writes: { y: t.y, partial },
      workgroups: workgroupsFor(pad4(tiles.RUNS) * tiles.GROUPS),
      flops: convFlops(t),
    },
  ];
}

function backwardInput(node: Node, { tuning }: Graph): Dispatch[] {
  const { t, addend, coef, yRaw, xRaw, partial } = backwardInputTensors(node);
  const tiles = tiling(rowsOf(t.x), quads(t.x), partial !== undefined, tuning);
  return [
    {
      shader: 'pointwise/backward_input',
      constants: {
        ...tiles,
        ...inputConstants(t, 'EPILOGUE'),
        ...gradientConstants(t, yRaw),
        CI4: quads(t.x),
        CO4: quads(t.y),
        ADDEND: addend !== undefined,
        SUBGROUPS: tuning.subgroups,
      },
      reads: { dy: t.y, w: t.w, addend, coef, y_raw: yRaw, x_raw: xRaw },
      writes: { dx: t.x, partial },
      workgroups: workgroupsFor(pad4(tiles.RUNS) * tiles.GROUPS),
      flops: convFlops(t),
    },
  ];
}

function backwardWeight(node: Node, g: Graph): Dispatch[] {
  const { t, coef, yRaw } = backwardWeightTensors(node);
  const rows = rowsOf(t.y);
  const { xq, yq } = weightTile(quads(t.x), quads(t.y), g.tuning);
  const groups = [Math.ceil(quads(t.x) / xq), Math.ceil(quads(t.y) / yq)];
  const threads = groups[0] * groups[1];
  // a split's sums are written and read once more: as few as fill a device, of 64 rows or more
  const splits = Math.max(1, Math.min(Math.ceil(g.tuning.threads / 2 / threads), Math.ceil(rows / 64)));
  const partial = g.tensor(`${node.name} partial`, [splits, elements(t.w)]);
  return [
    {
      shader: 'pointwise/backward_weight',
      constants: {
        ...inputConstants(t, 'PROLOGUE'),
        ...gradientConstants(t, yRaw),
        ROWS: rows,
        CI: t.x.shape[3],
        CI4: quads(t.x),
        CO4: quads(t.y),
        SPLITS: splits,
        XQ: xq,
        YQ: yq,
        SUMS: 4 * xq * yq,
        XGROUPS: groups[0],
        YGROUPS: groups[1],
      },
      reads: { x: t.x, dy: t.y, coef, y_raw: yRaw },
      writes: { partial },
      workgroups: workgroupsFor(splits * threads),
      flops: convFlops(t),
    },
    sumSplits(partial, t.w, splits),
  ];
}

/** 1x1, stride 1, one group: products of matrices over all pixels. */
export const pointwise: ConvFamily = {
  fits: ({ w, attrs }) =>
    attrs.groups === 1 &&
    [w.shape[0], w.shape[1], ...attrs.stride].every((n) => n === 1) &&
    attrs.padding.every((p) => p === 0),
  forward,
  backwardInput,
  backwardWeight,
  outputBlocks: ({ y }, tuning): BlockGrid => {
    const { RUN, RUNS } = tiling(rowsOf(y), quads(y), true, tuning);
    return { count: RUNS, rows: rowsOf(y), rowsPerBlock: RUN, columns: 1, columnsPerBlock: 1 };
  },
  inputBlocks: ({ x }, tuning) => tiling(rowsOf(x), quads(x), true, tuning).RUNS,
};
