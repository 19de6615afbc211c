import type { Constants, Dispatch, LowerContext, Node } from '../../graph/ir';
import { pad4, type Tensor } from '../../graph/tensor';
import { SPILLED_SUMS, type Tuning } from '../../graph/tuning';
import { workgroupsFor } from '../../graph/workgroups';
import { prologueConstants } from '../activation';
import { type BlockGrid, blockConstants, gridOf, weightSplits } from '../blocks';
import { partsOf } from '../reduce';
import {
  backwardInputTensors,
  backwardWeightTensors,
  biasParts,
  type ConvBackwardInput,
  type ConvBackwardWeight,
  type ConvFamily,
  type ConvForward,
  type ConvTensors,
  convFlops,
  epilogueConstants,
  forwardConstants,
  forwardTensors,
  gradientConstants,
  meetsAllRows,
  outputRows,
  sizes,
  vec4s,
} from './family';

/** Rows or columns of a tile, at most `most` and as equal as may be, a multiple of `step`. */
const sideOf = (length: number, most: number, step = 1) =>
  Math.ceil(length / Math.ceil(length / most) / step) * step;

/** Equal chunks of at most `most` of a row's taps. */
const chunkOf = (taps: number, most: number) => Math.ceil(taps / Math.ceil(taps / most));

/** Whether a thread takes all taps of a kernel at a time, for sums over `c4` vec4s of channels: what it saves of loads takes more sums and text. */
const takesAllTaps = ([kh, kw]: readonly number[], c4: number, { sums }: Tuning): boolean =>
  sums >= SPILLED_SUMS && kh > 1 && kw < 5 && kh * kw < 10 && c4 > 3;

const forwardTaps = ({ x, w }: ConvTensors, tuning: Tuning) => takesAllTaps(w.shape, vec4s(x), tuning);

/** At other strides the rows and taps of dx have phases. */
const inputTaps = ({ w, y, attrs }: ConvTensors, tuning: Tuning) =>
  attrs.stride.every((s) => s === 1) && takesAllTaps(w.shape, vec4s(y), tuning);

/** Rows of a tile, of whose pixels all taps are taken. */
const tileRows = (t: Tensor): number => sideOf(t.shape[1], 4);

/**
 * One row of up to eight columns a block, or where it sums over its pixels so many rows that they are 16 or more. With `taps` up to 4 x 4
 * pixels in the place of a row.
 */
function blocks(t: Tensor, sums: boolean, taps: boolean, step = 1): BlockGrid {
  const [n, rows, columns] = t.shape;
  const columnsPerBlock = sideOf(columns, taps ? 4 : 8, step);
  const tile = taps ? tileRows(t) : 1;
  const rowsPerBlock = sums ? Math.ceil(16 / columnsPerBlock / tile) * tile : tile;
  return gridOf(n, rows, Math.min(rows, rowsPerBlock), columns, columnsPerBlock);
}

const outputBlocks = (t: ConvTensors, sums: boolean, tuning: Tuning) =>
  blocks(t.y, sums, forwardTaps(t, tuning));

const inputBlocks = (t: ConvTensors, sums: boolean, tuning: Tuning) =>
  blocks(t.x, sums, inputTaps(t, tuning), t.attrs.stride[1]);

/** How many vec4s of channels, of the `c4` that a shader produces, a thread takes: two where threads remain enough. */
function channelConstants(
  grid: BlockGrid,
  c4: number,
  { threads }: Tuning,
  rows = 1,
): Constants & { CHANNEL_THREADS: number } {
  const perThread = c4 > 1 && grid.count * c4 >= threads ? 2 : 1;
  return {
    VEC4S_PER_THREAD: perThread,
    CHANNEL_THREADS: Math.ceil(c4 / perThread),
    SUMS: rows * grid.columnsPerBlock * perThread,
  };
}

/** A thread for each image, block and share of the channels; images by fours, whose threads share weights. */
const threadsOf = ({ x }: ConvTensors, grid: BlockGrid, { CHANNEL_THREADS }: { CHANNEL_THREADS: number }) =>
  (grid.count / x.shape[0]) * pad4(x.shape[0]) * CHANNEL_THREADS;

/** Sizes of the three passes; backward_weight goes along whole rows and sets SPLITS. */
const denseSizes = (t: ConvTensors): Constants => ({
  ...sizes(t),
  CI: t.x.shape[3],
  CI4: vec4s(t.x),
  CO4: vec4s(t.y),
  ROWS_PER_BLOCK: 1,
  BLOCKS_ACROSS: 1,
  BLOCKS_DOWN: 1,
  SPLITS: 1,
  BACKWARD_COEF: 0,
});

function forward(node: Node<ConvForward>, { tuning }: LowerContext): Dispatch[] {
  const t = forwardTensors(node);
  const { bias, coef, residual } = node.inputs;
  const { partial } = node.outputs;
  const grid = outputBlocks(t, partial !== undefined, tuning);
  const taps = chunkOf(t.w.shape[1], 4);
  const all = forwardTaps(t, tuning);
  const rows = all ? tileRows(t.y) : 1;
  const channels = channelConstants(grid, vec4s(t.y), tuning, rows);
  return [
    {
      shader: all ? 'dense/forward_taps' : 'dense/forward',
      constants: {
        ...denseSizes(t),
        ...forwardConstants(node),
        ...outputRows(t.y),
        ...blockConstants(grid),
        ...channels,
        SUBGROUPS: tuning.subgroups,
        ...(all
          ? { TILE_ROWS: rows, X_ROWS: (rows - 1) * t.attrs.stride[0] + t.w.shape[0] }
          : { TAPS_PER_CHUNK: taps }),
        X_WINDOW: (grid.columnsPerBlock - 1) * t.attrs.stride[1] + taps,
      },
      reads: { x: t.x, w: t.w, bias, coef, residual },
      writes: { y: t.y, partial },
      workgroups: workgroupsFor(threadsOf(t, grid, channels)),
      flops: convFlops(t),
    },
  ];
}

function backwardInput(node: Node<ConvBackwardInput>, { tuning }: LowerContext): Dispatch[] {
  const t = backwardInputTensors(node);
  const { addend, coef, yRaw, xRaw } = node.inputs;
  const { partial } = node.outputs;
  const grid = inputBlocks(t, partial !== undefined, tuning);
  const all = inputTaps(t, tuning);
  const rows = all ? tileRows(t.x) : 1;
  const channels = channelConstants(grid, vec4s(t.x), tuning, rows);
  const sw = t.attrs.stride[1];
  const taps = chunkOf(Math.ceil(t.w.shape[1] / sw), 4);
  return [
    {
      shader: all ? 'dense/backward_input_taps' : 'dense/backward_input',
      constants: {
        ...denseSizes(t),
        ...epilogueConstants(t.attrs),
        ...gradientConstants(t, yRaw),
        ...outputRows(yRaw ?? t.y),
        ...blockConstants(grid),
        ...channels,
        ADDEND: addend !== undefined,
        SUBGROUPS: tuning.subgroups,
        ...(all ? { TILE_ROWS: rows, DY_ROWS: rows + t.w.shape[0] - 1 } : { TAPS_PER_CHUNK: taps }),
        DY_WINDOW: taps + Math.floor((grid.columnsPerBlock - 1 + (t.attrs.padding[1] % sw)) / sw),
      },
      reads: { dy: t.y, w: t.w, addend, coef, y_raw: yRaw, x_raw: xRaw },
      writes: { dx: t.x, partial },
      workgroups: workgroupsFor(threadsOf(t, grid, channels)),
      flops: convFlops(t),
    },
  ];
}

function backwardWeight(node: Node<ConvBackwardWeight>, context: LowerContext): Dispatch[] {
  const t = backwardWeightTensors(node);
  const { coef, yRaw } = node.inputs;
  const [n, oh, ow] = t.y.shape;
  const [kh, kw] = t.w.shape;
  const taps = chunkOf(kw, 4);
  const chunks = Math.ceil(kw / taps);
  const all = forwardTaps(t, context.tuning);
  const columns = all && ow > 4 ? 8 : Math.min(ow, 4);
  const perThread = Math.min(all ? 4 : 2, vec4s(t.y));
  // quads stay together where a workgroup adds no more splits than that
  const subgroups = context.tuning.subgroups && context.tuning.sharedSplits <= 16;
  const owners = all ? (subgroups ? pad4(vec4s(t.x)) : vec4s(t.x)) : kh * chunks * vec4s(t.x);
  const threads = owners * Math.ceil(vec4s(t.y) / perThread);
  const split = weightSplits(threads, Math.min(Math.ceil((n * oh * ow) / 64), n * oh), context.tuning);
  const { partial, finish } = partsOf(node.name, t.w, split.parts, context);
  const bias = biasParts(node, split.parts, context);
  return [
    {
      shader: all ? 'dense/backward_weight_taps' : 'dense/backward_weight',
      constants: {
        ...denseSizes(t),
        ...prologueConstants(t.attrs),
        ...gradientConstants(t, yRaw),
        ...outputRows(yRaw ?? t.y),
        BIAS: bias.partial !== undefined,
        SPLITS: split.splits,
        SHARED_SPLITS: split.shared,
        ...(all
          ? {
              SUBGROUPS: subgroups,
              QUADS_PER_STEP: Math.ceil(columns / 4),
              PRODUCTS: kh * taps * perThread,
            }
          : { COLUMNS_PER_STEP: columns, TAPS_PER_CHUNK: taps, CHUNKS: chunks, SUMS: 4 * taps * perThread }),
        X_WINDOW: ((all ? pad4(columns) : columns) - 1) * t.attrs.stride[1] + taps,
        VEC4S_PER_THREAD: perThread,
        CHANNEL_THREADS: Math.ceil(vec4s(t.y) / perThread),
      },
      reads: { x: t.x, dy: t.y, coef, y_raw: yRaw },
      writes: { partial, bias_partial: bias.partial },
      workgroups: split.workgroups,
      flops: convFlops(t),
    },
    ...finish,
    ...bias.finish,
  ];
}

/** One group, any kernel, stride and padding, no dilation: products of matrices over windows of pixels. */
export const dense: ConvFamily = {
  fits: ({ attrs }) => attrs.groups === 1 && attrs.dilation.every((d) => d === 1),
  forward,
  backwardInput,
  backwardWeight,
  sumsBias: meetsAllRows,
  views: () => ({ x: false, y: true }),
  outputBlocks: (t, tuning) => outputBlocks(t, true, tuning),
  inputBlocks: (t, tuning) => inputBlocks(t, true, tuning).count,
};
