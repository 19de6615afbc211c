import type { Constants, Dispatch, LowerContext, Node } from '../../graph/ir';
import { pad4 } from '../../graph/tensor';
import type { Tuning } from '../../graph/tuning';
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

/** Columns a block, at most eight and as equal as may be, a multiple of `step`. */
const columnsOf = (columns: number, step = 1) => Math.ceil(columns / Math.ceil(columns / 8) / step) * step;

/** Equal chunks of at most `most` of a row's taps. */
const chunkOf = (taps: number, most: number) => Math.ceil(taps / Math.ceil(taps / most));

/** One row of `columnsPerBlock` a block, or where it sums over its pixels so many rows that they are 16 or more. */
function blocks(n: number, rows: number, columns: number, columnsPerBlock: number, sums: boolean): BlockGrid {
  const rowsPerBlock = sums ? Math.min(rows, Math.ceil(16 / columnsPerBlock)) : 1;
  return gridOf(n, rows, rowsPerBlock, columns, columnsPerBlock);
}

const outputBlocks = ({ y: { shape } }: ConvTensors, sums: boolean) =>
  blocks(shape[0], shape[1], shape[2], columnsOf(shape[2]), sums);

const inputBlocks = ({ x: { shape }, attrs }: ConvTensors, sums: boolean) =>
  blocks(shape[0], shape[1], shape[2], columnsOf(shape[2], attrs.stride[1]), sums);

/** How many vec4s of channels, of the `c4` that a shader produces, a thread takes: two where threads remain enough. */
function channelConstants(
  grid: BlockGrid,
  c4: number,
  { threads }: Tuning,
): Constants & { CHANNEL_THREADS: number } {
  const perThread = c4 > 1 && grid.count * c4 >= threads ? 2 : 1;
  return {
    VEC4S_PER_THREAD: perThread,
    CHANNEL_THREADS: Math.ceil(c4 / perThread),
    SUMS: grid.columnsPerBlock * perThread,
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
  const grid = outputBlocks(t, partial !== undefined);
  const channels = channelConstants(grid, vec4s(t.y), tuning);
  const taps = chunkOf(t.w.shape[1], 4);
  return [
    {
      shader: 'dense/forward',
      constants: {
        ...denseSizes(t),
        ...forwardConstants(node),
        ...outputRows(t.y),
        ...blockConstants(grid),
        ...channels,
        SUBGROUPS: tuning.subgroups,
        TAPS_PER_CHUNK: taps,
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
  const grid = inputBlocks(t, partial !== undefined);
  const channels = channelConstants(grid, vec4s(t.x), tuning);
  const sw = t.attrs.stride[1];
  const taps = chunkOf(Math.ceil(t.w.shape[1] / sw), 4);
  return [
    {
      shader: 'dense/backward_input',
      constants: {
        ...denseSizes(t),
        ...epilogueConstants(t.attrs),
        ...gradientConstants(t, yRaw),
        ...outputRows(yRaw ?? t.y),
        ...blockConstants(grid),
        ...channels,
        ADDEND: addend !== undefined,
        SUBGROUPS: tuning.subgroups,
        TAPS_PER_CHUNK: taps,
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
  const columns = Math.min(ow, 4);
  const perThread = Math.min(2, vec4s(t.y));
  const threads = kh * chunks * vec4s(t.x) * Math.ceil(vec4s(t.y) / perThread);
  const split = weightSplits(threads, Math.min(Math.ceil((n * oh * ow) / 64), n * oh), context.tuning);
  const { partial, finish } = partsOf(node.name, t.w, split.parts, context);
  const bias = biasParts(node, split.parts, context);
  return [
    {
      shader: 'dense/backward_weight',
      constants: {
        ...denseSizes(t),
        ...prologueConstants(t.attrs),
        ...gradientConstants(t, yRaw),
        ...outputRows(yRaw ?? t.y),
        BIAS: bias.partial !== undefined,
        SPLITS: split.splits,
        SHARED_SPLITS: split.shared,
        COLUMNS_PER_STEP: columns,
        TAPS_PER_CHUNK: taps,
        CHUNKS: chunks,
        X_WINDOW: (columns - 1) * t.attrs.stride[1] + taps,
        VEC4S_PER_THREAD: perThread,
        CHANNEL_THREADS: Math.ceil(vec4s(t.y) / perThread),
        SUMS: 4 * taps * perThread,
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
  outputBlocks: (t) => outputBlocks(t, true),
  inputBlocks: (t) => inputBlocks(t, true).count,
};
