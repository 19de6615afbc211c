import type { Graph, Node } from '../graph/graph';
import { type Constants, type Dispatch, workgroupsFor } from '../graph/plan';
import { elements, product, type Tensor } from '../graph/tensor';
import {
  type BlockGrid,
  backwardInputTensors,
  backwardWeightTensors,
  type ConvFamily,
  convFlops,
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

const TILES: Tile[] = [
  { rows: 8, quads: 2 },
  { rows: 4, quads: 2 },
  { rows: 4, quads: 1 },
  { rows: 2, quads: 1 },
];

/** The largest tile, of fewest loads a multiply-add, that leaves threads enough to fill a device; else the smallest. */
function tileFor(rows: number, c4: number): Tile {
  const threads = (tile: Tile) => Math.ceil(rows / tile.rows) * Math.ceil(c4 / tile.quads);
  return TILES.find((tile) => c4 >= tile.quads && threads(tile) >= 4096) ?? TILES[TILES.length - 1];
}

/** Runs of rows that one thread goes through: a tile, or several where it sums over its rows. */
function runFor(rows: number, tile: Tile, sums: boolean): number {
  const wanted = sums ? Math.min(32, Math.ceil(rows / 64)) : 1;
  return Math.max(1, Math.ceil(wanted / tile.rows)) * tile.rows;
}

/** The constants that forward and backward_input share: tiles over `rows` by the `c4` vec4s that they produce. */
function tiling(rows: number, c4: number, sums: boolean): Constants & { RUNS: number; GROUPS: number } {
  const tile = tileFor(rows, c4);
  const run = runFor(rows, tile, sums);
  return {
    ROWS: rows,
    TILE: tile.rows,
    QUADS: tile.quads,
    SUMS: tile.rows * tile.quads,
    GROUPS: Math.ceil(c4 / tile.quads),
    RUN: run,
    RUNS: Math.ceil(rows / run),
  };
}

function forward(node: Node): Dispatch[] {
  const { t, bias, coef, partial } = forwardTensors(node);
  const tiles = tiling(rowsOf(t.y), quads(t.y), partial !== undefined);
  return [
    {
      shader: 'pointwise/forward',
      constants: {
        ...tiles,
        ...inputConstants(t, 'PROLOGUE'),
        CI4: quads(t.x),
        CO4: quads(t.y),
        BIAS: bias !== undefined,
        STATISTICS: partial !== undefined,
      },
      reads: { x: t.x, w: t.w, bias, coef },
      writes: { y: t.y, partial },
      workgroups: workgroupsFor(tiles.RUNS * tiles.GROUPS),
      flops: convFlops(t),
    },
  ];
}

function backwardInput(node: Node): Dispatch[] {
  const { t, addend, coef, yRaw, xRaw, partial } = backwardInputTensors(node);
  const tiles = tiling(rowsOf(t.x), quads(t.x), partial !== undefined);
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
      },
      reads: { dy: t.y, w: t.w, addend, coef, y_raw: yRaw, x_raw: xRaw },
      writes: { dx: t.x, partial },
      workgroups: workgroupsFor(tiles.RUNS * tiles.GROUPS),
      flops: convFlops(t),
    },
  ];
}

function backwardWeight(node: Node, g: Graph): Dispatch[] {
  const { t, coef, yRaw } = backwardWeightTensors(node);
  const rows = rowsOf(t.y);
  const [xq, yq] = [Math.min(2, quads(t.x)), Math.min(2, quads(t.y))];
  const groups = [Math.ceil(quads(t.x) / xq), Math.ceil(quads(t.y) / yq)];
  const threads = groups[0] * groups[1];
  // a split's sums are written and read once more: as few as fill a device, of 64 rows or more
  const splits = Math.max(1, Math.min(Math.ceil(8192 / threads), Math.ceil(rows / 64)));
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
  outputBlocks: ({ y }): BlockGrid => {
    const { RUN, RUNS } = tiling(rowsOf(y), quads(y), true);
    return { count: RUNS, rows: rowsOf(y), rowsPerBlock: RUN as number, columns: 1, columnsPerBlock: 1 };
  },
  inputBlocks: ({ x }) => tiling(rowsOf(x), quads(x), true).RUNS,
};
