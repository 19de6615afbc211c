import type { Dispatch, LowerContext, Node } from '../../graph/ir';
import { product, type Tensor } from '../../graph/tensor';
import { SPILLED_SUMS, type Tuning } from '../../graph/tuning';
import { workgroupsFor } from '../../graph/workgroups';
import { prologueConstants } from '../activation';
import { type BlockGrid, lineGrid, weightSplits } from '../blocks';
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
  convFlops,
  epilogueConstants,
  forwardConstants,
  forwardTensors,
  gateConstants,
  gradientConstants,
  inputRows,
  outputRows,
  vec4s,
} from './family';
import { cutProduct, inTurns, type ProductCut, SIDES } from './product-tiles';

const rowsOf = (t: Tensor) => product(t.shape.slice(0, 3));

/** How the product that makes y, or dx, is cut; `sums` where its shader sums over rows. */
const cut = (to: Tensor, sums: boolean, tuning: Tuning): ProductCut =>
  cutProduct({ rows: rowsOf(to), c4: vec4s(to) }, sums, tuning);

interface WeightTile {
  inputs: number;
  outputs: number;
}

/** How a weight's gradient goes along rows. */
interface WeightWalk {
  /** four rows at a time, where sums may leave the registers */
  byFours: boolean;
  /** threads of other inputs that load dy for each other */
  lanes: number;
}

function weightWalk({ sums, subgroups, sharedSplits }: Tuning): WeightWalk {
  const byFours = sums >= SPILLED_SUMS;
  // quads stay together where a workgroup adds no more splits than that
  return { byFours, lanes: byFours && subgroups && sharedSplits <= 16 ? 4 : 1 };
}

/**
 * vec4s of input and of output channels whose products a thread of backward_weight sums: those of the fewest loads a
 * product, what it computes beyond the edges counted in. Each vec4 of dy behind a batch norm takes two loads. By fours the rows
 * wait in registers too, so that there is room for half the sums.
 */
function weightTile(
  ci4: number,
  co4: number,
  { byFours, lanes }: WeightWalk,
  { sums, load }: Tuning,
): WeightTile {
  const cost = ({ inputs, outputs }: WeightTile) =>
    lanes *
    Math.ceil(ci4 / inputs / lanes) *
    Math.ceil(co4 / outputs) *
    (4 * inputs * outputs + load * (inputs + (2 / lanes) * outputs));
  const tiles = SIDES.flatMap((inputs) => SIDES.map((outputs) => ({ inputs, outputs }))).filter(
    ({ inputs, outputs }) => inputs * outputs <= sums / (byFours ? 4 : 2),
  );
  return tiles.reduce((best, tile) => (cost(tile) < cost(best) ? tile : best));
}

function forward(node: Node<ConvForward>, { tuning }: LowerContext): Dispatch[] {
  const t = forwardTensors(node);
  const { bias, coef, residual, gate } = node.inputs;
  const { partial } = node.outputs;
  const { constants, threads } = cut(t.y, partial !== undefined, tuning);
  return [
    {
      shader: 'pointwise/forward',
      constants: {
        ...constants,
        ...forwardConstants(node),
        ...gateConstants(t.x, gate),
        ...inputRows(t.x),
        ...outputRows(t.y),
        CI4: vec4s(t.x),
        CO4: vec4s(t.y),
      },
      reads: { x: t.x, w: t.w, bias, coef, residual, gate },
      writes: { y: t.y, partial },
      workgroups: workgroupsFor(threads),
      flops: convFlops(t),
    },
  ];
}

function backwardInput(node: Node<ConvBackwardInput>, { tuning }: LowerContext): Dispatch[] {
  const t = backwardInputTensors(node);
  const { addend, coef, yRaw, xRaw } = node.inputs;
  const { partial } = node.outputs;
  const { constants, threads } = cut(t.x, partial !== undefined, tuning);
  return [
    {
      shader: 'pointwise/backward_input',
      constants: {
        ...constants,
        ...epilogueConstants(t.attrs),
        ...gradientConstants(t, yRaw),
        ...inputRows(xRaw ?? t.x),
        ...outputRows(yRaw ?? t.y),
        CI4: vec4s(t.x),
        CO4: vec4s(t.y),
        ADDEND: addend !== undefined,
        ADDEND_C4: addend ? vec4s(addend) : 0,
      },
      bytes: backwardInputBytes(node),
      reads: { dy: t.y, w: t.w, addend, coef, y_raw: yRaw, x_raw: xRaw },
      writes: { dx: t.x, partial },
      workgroups: workgroupsFor(threads),
      flops: convFlops(t),
    },
  ];
}

function backwardWeight(node: Node<ConvBackwardWeight>, context: LowerContext): Dispatch[] {
  const t = backwardWeightTensors(node);
  const { coef, yRaw, gate } = node.inputs;
  const rows = rowsOf(t.y);
  const walk = weightWalk(context.tuning);
  const { byFours, lanes } = walk;
  const tile = weightTile(vec4s(t.x), vec4s(t.y), walk, context.tuning);
  const inputThreads = Math.ceil(vec4s(t.x) / tile.inputs);
  const outputThreads = Math.ceil(vec4s(t.y) / tile.outputs);
  const threads = lanes * Math.ceil(inputThreads / lanes) * outputThreads;
  const split = weightSplits(threads, Math.ceil(rows / 64), context.tuning);
  const { partial, finish } = partsOf(node.name, t.w, split.parts, context);
  const bias = biasParts(node, split.parts, context);
  return [
    {
      shader: byFours ? 'pointwise/backward_weight_rows' : 'pointwise/backward_weight',
      constants: {
        ...prologueConstants(t.attrs),
        ...gateConstants(t.x, gate),
        ...gradientConstants(t, yRaw),
        ...inputRows(t.x),
        ...outputRows(yRaw ?? t.y),
        BIAS: bias.partial !== undefined,
        ...(byFours && { SUBGROUPS: lanes > 1 }),
        OW: rows,
        CI: t.x.shape[3],
        CI4: vec4s(t.x),
        CO4: vec4s(t.y),
        SPLITS: split.splits,
        SHARED_SPLITS: split.shared,
        INPUT_VEC4S: tile.inputs,
        OUTPUT_VEC4S: tile.outputs,
        PRODUCTS: tile.inputs * tile.outputs,
        ...inTurns('INPUTS_AT_A_TIME', tile.inputs, 4 * tile.outputs, context.tuning),
        INPUT_THREADS: inputThreads,
        OUTPUT_THREADS: outputThreads,
      },
      reads: { x: t.x, dy: t.y, coef, y_raw: yRaw, gate },
      writes: { partial, bias_partial: bias.partial },
      workgroups: split.workgroups,
      flops: convFlops(t),
    },
    ...finish,
    ...bias.finish,
  ];
}

/** 1x1, stride 1, one group: products of matrices over all pixels. */
export const pointwise: ConvFamily = {
  fits: ({ w, attrs }) =>
    attrs.groups === 1 &&
    [w.shape[0], w.shape[1], ...attrs.stride].every((n) => n === 1) &&
    [...attrs.padding, ...(attrs.paddingEnd ?? [])].every((p) => p === 0),
  forward,
  backwardInput,
  backwardWeight,
  outputBlocks: ({ y }, tuning): BlockGrid =>
    lineGrid(rowsOf(y), cut(y, true, tuning).constants.ROWS_PER_BLOCK),
  sumsBias: () => true,
  views: () => ({ x: true, y: true }),
  accumulates: () => true,
  gates: () => true,
  inputBlocks: ({ x }, tuning) => cut(x, true, tuning).constants.BLOCKS,
};
