import type { Graph, Node } from '../graph/graph';
import { type Dispatch, workgroupsFor } from '../graph/plan';
import { elements } from '../graph/tensor';
import {
  type BlockGrid,
  backwardInputTensors,
  backwardWeightTensors,
  type ConvFamily,
  type ConvTensors,
  convFlops,
  forwardTensors,
  gradientConstants,
  inputConstants,
  quads,
  rowsPerBlock,
  sizes,
} from './conv-geometry';
import { sumSplits } from './reduce';

const SMALL = Number(globalThis.process?.env?.SMALL ?? 9);
const TWF = Number(globalThis.process?.env?.TW ?? 4);
const THREADS = Number(globalThis.process?.env?.THREADS ?? 16384);
/** Kernels whose weights fit a thread's registers. */
const isSmall = ({ w }: ConvTensors) => w.shape[0] * w.shape[1] <= SMALL;

/** How the forward shaders cut y into blocks. */
function outputBlocks({ x, y }: ConvTensors): BlockGrid {
  const [n, rows, columns] = y.shape;
  const columnsPerBlock = Math.min(TWF, columns);
  const across = Math.ceil(columns / columnsPerBlock);
  const per = rowsPerBlock(rows, n * across * quads(x), THREADS);
  return { count: n * across * Math.ceil(rows / per), rows, rowsPerBlock: per, columns, columnsPerBlock };
}

const cut = (g: BlockGrid) => ({
  TW: g.columnsPerBlock,
  RUN: g.rowsPerBlock,
  TILES: Math.ceil(g.columns / g.columnsPerBlock),
  RUNS: Math.ceil(g.rows / g.rowsPerBlock),
});

function forward(node: Node): Dispatch[] {
  const { t, bias, coef, partial } = forwardTensors(node);
  const [kh, kw] = t.w.shape;
  const [sh, sw] = t.attrs.stride;
  const grid = outputBlocks(t);
  return [
    {
      shader: 'depthwise/forward',
      constants: {
        ...sizes(t),
        ...inputConstants(t.attrs, 'PROLOGUE'),
        ...cut(grid),
        C4: quads(t.x),
        BIAS: bias !== undefined,
        STATISTICS: partial !== undefined,
        ROWS: Math.ceil(kh / sh),
        XW: (grid.columnsPerBlock - 1) * sw + kw,
      },
      reads: { x: t.x, w: t.w, bias, coef },
      writes: { y: t.y, partial },
      workgroups: workgroupsFor(grid.count * quads(t.x)),
      flops: convFlops(t),
    },
  ];
}

/** How backward_input cuts dx into blocks, in steps of as many rows as the stride. */
function inputBlocks({ x, attrs }: ConvTensors): BlockGrid {
  const [n, h, columns] = x.shape;
  const [sh, sw] = attrs.stride;
  const rows = Math.ceil((h + (attrs.padding[0] % sh)) / sh);
  const columnsPerBlock = Math.ceil(Math.min(TWF, columns) / sw) * sw;
  const across = Math.ceil(columns / columnsPerBlock);
  const per = rowsPerBlock(rows, n * across * quads(x), THREADS);
  return { count: n * across * Math.ceil(rows / per), rows, rowsPerBlock: per, columns, columnsPerBlock };
}

function backwardInput(node: Node): Dispatch[] {
  const { t, addend, coef, yRaw, xRaw, partial } = backwardInputTensors(node);
  const [kh, kw] = t.w.shape;
  const [sh, sw] = t.attrs.stride;
  const grid = inputBlocks(t);
  const reach = Math.ceil(kw / sw);
  return [
    {
      shader: 'depthwise/backward_input',
      constants: {
        ...sizes(t),
        ...inputConstants(t.attrs, 'EPILOGUE'),
        ...gradientConstants(t, yRaw),
        ...cut(grid),
        C4: quads(t.x),
        ADDEND: addend !== undefined,
        ROWS: Math.max(kh, sh),
        REACH: reach,
        DYW: reach + Math.floor((grid.columnsPerBlock - 1 + (t.attrs.padding[1] % sw)) / sw),
      },
      reads: { dy: t.y, w: t.w, addend, coef, y_raw: yRaw, x_raw: xRaw },
      writes: { dx: t.x, partial },
      workgroups: workgroupsFor(grid.count * quads(t.x)),
      flops: convFlops(t),
    },
  ];
}

function backwardWeight(node: Node, g: Graph): Dispatch[] {
  const { t, coef, yRaw } = backwardWeightTensors(node);
  const [kh, kw] = t.w.shape;
  const [sh, sw] = t.attrs.stride;
  const grid = outputBlocks(t);
  const splits = Math.min(grid.count, Math.max(1, Math.round(8192 / quads(t.x))));
  const partial = g.tensor(`${node.name} partial`, [splits, elements(t.w)]);
  return [
    {
      shader: 'depthwise/backward_weight',
      constants: {
        ...sizes(t),
        ...inputConstants(t.attrs, 'PROLOGUE'),
        ...gradientConstants(t, yRaw),
        ...cut(grid),
        C4: quads(t.x),
        SPLITS: splits,
        ROWS: Math.ceil(kh / sh),
        XW: (grid.columnsPerBlock - 1) * sw + kw,
      },
      reads: { x: t.x, dy: t.y, coef, y_raw: yRaw },
      writes: { partial },
      workgroups: workgroupsFor(splits * quads(t.x)),
      flops: convFlops(t),
    },
    sumSplits(partial, t.w, splits),
  ];
}

/** One input and one output channel a group, no dilation: vec4s of channels, register windows. */
export const depthwise: ConvFamily = {
  fits: ({ x, w, attrs }) =>
    !process.env.DIRECT && attrs.groups === x.shape[3] && w.shape[3] === x.shape[3] && attrs.dilation.every((d) => d === 1),
  forward,
  backwardInput,
  backwardWeight,
  outputBlocks,
  inputBlocks: (t) => inputBlocks(t).count,
};
