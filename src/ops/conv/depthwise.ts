import type { Constants, Dispatch, LowerContext, Node } from '../../graph/ir';
import type { Tensor } from '../../graph/tensor';
import { SPILLED_SUMS, type Tuning } from '../../graph/tuning';
import { workgroupsFor } from '../../graph/workgroups';
import { prologueConstants } from '../activation';
import { type BlockGrid, blockConstants, blockGrid, weightSplits } from '../blocks';
import { partsOf } from '../reduce';
import {
  backwardInputBytes,
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
  sizes,
  vec4s,
} from './family';

/** Whether a thread takes all of a kernel at a time: its weights, in backward_weight its sums, fit registers, or may leave them. */
const isSmall = ({ w }: ConvTensors, { sums }: Tuning) =>
  w.shape[0] * w.shape[1] <= (sums >= SPILLED_SUMS ? 49 : 25);

/** Taps of a row of a large kernel that are taken at a time: equal chunks of at most eight. */
const chunkOf = (taps: number) => Math.ceil(taps / Math.ceil(taps / 8));

/** Columns a block: more of them save loads, but their sums wait in registers. */
const columnsOf = (t: ConvTensors, tuning: Tuning) =>
  isSmall(t, tuning) ? Math.max(1, tuning.sums / (t.attrs.stride[1] > 1 ? 16 : 8)) : 4;

function outputBlocks(t: ConvTensors, tuning: Tuning): BlockGrid {
  const [n, rows, columns] = t.y.shape;
  return blockGrid(n, rows, columns, columnsOf(t, tuning), vec4s(t.x), tuning.threads);
}

/** Blocks of x; a small kernel's shader completes as many rows a step as the stride, which are one row here. */
function inputBlocks(t: ConvTensors, tuning: Tuning): BlockGrid {
  const [n, h, w] = t.x.shape;
  const [sh, sw] = t.attrs.stride;
  const rows = isSmall(t, tuning) ? Math.ceil((h + (t.attrs.padding[0] % sh)) / sh) : h;
  return blockGrid(
    n,
    rows,
    w,
    Math.ceil(Math.min(w, columnsOf(t, tuning)) / sw) * sw,
    vec4s(t.x),
    tuning.threads,
  );
}

/** How the forward shader and backward_weight read x: rows of y that a row of x meets, and the columns of a window. */
function window(t: ConvTensors, grid: BlockGrid, tuning: Tuning): Constants {
  const [kh, kw] = t.w.shape;
  const [sh, sw] = t.attrs.stride;
  const small = isSmall(t, tuning);
  const taps = small ? kw : chunkOf(kw);
  return {
    ...(small ? { WAITING_ROWS: Math.ceil(kh / sh) } : { TAPS_PER_CHUNK: taps }),
    X_WINDOW: (grid.columnsPerBlock - 1) * sw + taps,
  };
}

/** Sizes of the three passes; backward_weight sets SPLITS. */
const blockSizesOf = (t: ConvTensors, grid: BlockGrid): Constants => ({
  ...sizes(t),
  ...blockConstants(grid),
  C4: vec4s(t.x),
  SPLITS: 1,
  BACKWARD_COEF: 0,
  CHANNELS: t.x.shape[3],
  ADDEND_C4: 0,
});

function forward(node: Node<ConvForward>, { tuning }: LowerContext): Dispatch[] {
  const t = forwardTensors(node);
  const { bias, coef, residual } = node.inputs;
  const { partial } = node.outputs;
  const grid = outputBlocks(t, tuning);
  return [
    {
      shader: isSmall(t, tuning) ? 'depthwise/forward' : 'depthwise/forward_large',
      constants: {
        ...blockSizesOf(t, grid),
        ...forwardConstants(node),
        ...window(t, grid, tuning),
      },
      reads: { x: t.x, w: t.w, bias, coef, residual },
      writes: { y: t.y, partial },
      workgroups: workgroupsFor(grid.count * vec4s(t.x)),
      flops: convFlops(t),
    },
  ];
}

/** Taps that a column of x meets, or a chunk of them, and the columns of dy that they read. */
function inputWindow(t: ConvTensors, grid: BlockGrid, tuning: Tuning): Constants {
  const [kh, kw] = t.w.shape;
  const [sh, sw] = t.attrs.stride;
  const reach = Math.ceil(kw / sw);
  const small = isSmall(t, tuning);
  const taps = small ? reach : chunkOf(reach);
  return {
    ...(small ? { WAITING_ROWS: Math.max(kh, sh), REACH: reach } : { TAPS_PER_CHUNK: taps }),
    DY_WINDOW: taps + Math.floor((grid.columnsPerBlock - 1 + (t.attrs.padding[1] % sw)) / sw),
  };
}

/** Constants of what is added: as many channels, or the first of more. */
const addendConstants = (x: Tensor, addend: Tensor | undefined): Constants =>
  addend && addend.shape[3] > x.shape[3]
    ? { WIDE_ADDEND: true, ADDEND_C4: vec4s(addend) }
    : { ADDEND: addend !== undefined };

function backwardInput(node: Node<ConvBackwardInput>, { tuning }: LowerContext): Dispatch[] {
  const t = backwardInputTensors(node);
  const { addend, coef, yRaw, xRaw } = node.inputs;
  const { partial } = node.outputs;
  const grid = inputBlocks(t, tuning);
  return [
    {
      shader: isSmall(t, tuning) ? 'depthwise/backward_input' : 'depthwise/backward_input_large',
      constants: {
        ...blockSizesOf(t, grid),
        ...epilogueConstants(t.attrs),
        ...gradientConstants(t, yRaw),
        ...inputWindow(t, grid, tuning),
        ...addendConstants(t.x, addend),
      },
      reads: { dy: t.y, w: t.w, addend, coef, y_raw: yRaw, x_raw: xRaw },
      writes: { dx: t.x, partial },
      workgroups: workgroupsFor(grid.count * vec4s(t.x)),
      flops: convFlops(t),
      bytes: backwardInputBytes(node),
    },
  ];
}

function backwardWeight(node: Node<ConvBackwardWeight>, context: LowerContext): Dispatch[] {
  const t = backwardWeightTensors(node);
  const { coef, yRaw } = node.inputs;
  const grid = outputBlocks(t, context.tuning);
  const [kh, kw] = t.w.shape;
  const chunks = Math.ceil(kw / chunkOf(kw));
  const small = isSmall(t, context.tuning);
  const threads = vec4s(t.x) * (small ? 1 : kh * chunks);
  const split = weightSplits(threads, grid.count, context.tuning);
  const { partial, finish } = partsOf(node.name, t.w, split.parts, context);
  const bias = biasParts(node, split.parts, context);
  return [
    {
      shader: small ? 'depthwise/backward_weight' : 'depthwise/backward_weight_large',
      constants: {
        ...blockSizesOf(t, grid),
        ...prologueConstants(t.attrs),
        ...gradientConstants(t, yRaw),
        BIAS: bias.partial !== undefined,
        ...window(t, grid, context.tuning),
        ...(small ? {} : { CHUNKS: chunks }),
        FOURS_OF_TAPS: Math.ceil((small ? kh * kw : chunkOf(kw)) / 4),
        SHARED_SPLITS: split.shared,
        SPLITS: split.splits,
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

/**
 * One input and one output channel a group, no dilation: vec4s of channels, register windows. With a single channel the
 * weight is laid out as a dense one, its input channels padded, and not taken here.
 */
export const depthwise: ConvFamily = {
  fits: ({ x, w, attrs }) =>
    attrs.groups === x.shape[3] &&
    w.shape[3] === x.shape[3] &&
    w.padded[2] === 1 &&
    attrs.dilation.every((d) => d === 1),
  forward,
  backwardInput,
  backwardWeight,
  sumsBias: (t, tuning) => isSmall(t, tuning) || meetsAllRows(t),
  addsBeginnings: isSmall,
  outputBlocks,
  inputBlocks: (t, tuning) => inputBlocks(t, tuning).count,
};
