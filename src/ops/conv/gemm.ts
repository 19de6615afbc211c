import type { Constants, Dispatch, LowerContext, Node } from '../../graph/ir';
import { product, type Tensor } from '../../graph/tensor';
import type { Tuning } from '../../graph/tuning';
import { workgroupsFor } from '../../graph/workgroups';
import { prologueConstants } from '../activation';
import { lineGrid } from '../blocks';
import { partsOf } from '../reduce';
import { dense } from './dense';
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
  gateConstants,
  gradientConstants,
  inputRows,
  outputRows,
  sizes,
  vec4s,
} from './family';
import { pointwise } from './pointwise';
import { leastRowsPerBlock, type ProductShape, SIDES, type Tile, tilesWithin } from './product-tiles';

/** Threads of a workgroup. */
const WORKGROUP = 128;
/** vec4s of the operands in workgroup memory: 14 KiB of the 16 that every device has; one a thread is for sums. */
const STAGED = 896;

/** The tiles of a workgroup's threads, `across` of them side by side: together the block that it makes. */
interface WorkgroupTiles extends Tile {
  across: number;
}

const ACROSS = [16, 8, 4, 2, 1];
const rowsOf = (t: WorkgroupTiles) => (WORKGROUP / t.across) * t.rows;
const columnsOf = (t: WorkgroupTiles) => t.across * t.vec4s;
/** vec4s of workgroup memory for a vec4 of what is summed over; the shader's StagedValues and StagedWeights */
const stagedBy = (t: WorkgroupTiles) => rowsOf(t) + 1 + 4 * columnsOf(t) + 1;
/** vec4s of what is summed over that a stage holds, 0 where there is no room for one */
const depthOf = (t: WorkgroupTiles) => SIDES.find((s) => s * stagedBy(t) <= STAGED) ?? 0;
/** what a thread has to do at each stage beside its loads, in vec4 multiply-adds: places, two barriers; an estimate */
const STAGE = 32;

/** Products of one size in one dispatch, each with blocks of its own. */
interface Products extends ProductShape {
  /** how many there are, of `rows` each */
  phases: number;
  /** vec4s that the deepest of them sums over */
  k4: number;
  /** how deep they are on average, as a part of that */
  busy: number;
}

/**
 * As `threadTile` of pointwise products, where a workgroup loads for all its threads. From workgroup memory a load costs a
 * quarter, an assumption.
 */
function workgroupTiles(
  { rows, c4, phases, busy }: Products,
  { threads, sums, load }: Tuning,
): WorkgroupTiles {
  const count = (t: WorkgroupTiles) => phases * Math.ceil(rows / rowsOf(t)) * Math.ceil(c4 / columnsOf(t));
  const cost = (t: WorkgroupTiles) =>
    count(t) *
    (WORKGROUP * (4 * t.rows * t.vec4s + (load / 4) * (t.rows + 4 * t.vec4s) + STAGE / depthOf(t)) +
      load * (rowsOf(t) + 4 * columnsOf(t)));
  const fitting = tilesWithin(sums)
    .flatMap((tile) => ACROSS.map((across) => ({ ...tile, across })))
    .filter((t) => depthOf(t) > 0)
    .filter(
      (t) => count(t) * busy * WORKGROUP >= threads / 4 && rowsOf(t) >= leastRowsPerBlock(phases * rows),
    );
  const least = { rows: 1, vec4s: 1, across: 8 };
  return fitting.reduce((best, tile) => (cost(tile) < cost(best) ? tile : best), least);
}

/** How products are cut into blocks, a workgroup each. */
function cut(p: Products, tuning: Tuning) {
  const { rows, c4, phases, k4 } = p;
  const tile = workgroupTiles(p, tuning);
  const across = Math.ceil(c4 / columnsOf(tile));
  const rowsPerBlock = rowsOf(tile);
  const blocks = phases * Math.ceil(rows / rowsPerBlock);
  const depth = SIDES.find((s) => s <= depthOf(tile) && s < 2 * k4)!;
  return {
    constants: {
      ROWS_PER_TILE: tile.rows,
      VEC4S_PER_THREAD: tile.vec4s,
      SUMS: tile.rows * tile.vec4s,
      TURNS: 1,
      VEC4S_AT_A_TIME: tile.vec4s,
      CHANNEL_THREADS: across * tile.across,
      ROWS_PER_BLOCK: rowsPerBlock,
      BLOCKS: blocks,
      ROW_STEP: WORKGROUP / tile.across,
      STAGE_DEPTH: depth,
      STAGED_ROWS: Math.ceil((rowsPerBlock * depth) / WORKGROUP),
      STAGED_WEIGHTS: Math.ceil((4 * columnsOf(tile) * depth) / WORKGROUP),
    },
    workgroups: workgroupsFor(blocks * across * WORKGROUP),
  };
}

const pixelsOf = (t: Tensor) => product(t.shape.slice(0, 3));
const tapsOf = ({ w }: ConvTensors) => w.shape[0] * w.shape[1];

/** How the product that makes y is cut. */
const forwardCut = (t: ConvTensors, tuning: Tuning) =>
  cut({ rows: pixelsOf(t.y), c4: vec4s(t.y), phases: 1, k4: tapsOf(t) * vec4s(t.x), busy: 1 }, tuning);

/** How the products that make dx are cut: with a stride one for each phase, the pixels that the same taps meet. */
function backwardInputCut(t: ConvTensors, tuning: Tuning) {
  const [n, h, w] = t.x.shape;
  const [sh, sw] = t.attrs.stride;
  const phases = sh * sw;
  const taps = Math.ceil(t.w.shape[0] / sh) * Math.ceil(t.w.shape[1] / sw);
  const { constants, workgroups } = cut(
    {
      rows: n * Math.ceil(h / sh) * Math.ceil(w / sw),
      c4: vec4s(t.x),
      phases,
      k4: taps * vec4s(t.y),
      busy: tapsOf(t) / (phases * taps),
    },
    tuning,
  );
  const { BLOCKS, ROWS_PER_BLOCK } = constants;
  return { constants: { ...constants, PHASE_ROWS: (BLOCKS / phases) * ROWS_PER_BLOCK }, workgroups };
}

/** Of images, kernel and channels; GATHER where pixels of x are not those of y. */
function geometry(t: ConvTensors, tuning: Tuning): Constants {
  const { N: _, ...rest } = sizes(t);
  return { ...rest, GATHER: !pointwise.fits(t, tuning), CI4: vec4s(t.x), CO4: vec4s(t.y) };
}

function forward(node: Node<ConvForward>, { tuning }: LowerContext): Dispatch[] {
  const t = forwardTensors(node);
  const { bias, coef, residual, gate } = node.inputs;
  const { constants, workgroups } = forwardCut(t, tuning);
  return [
    {
      shader: 'gemm/forward',
      constants: {
        ...geometry(t, tuning),
        ...constants,
        ROWS: pixelsOf(t.y),
        ...forwardConstants(node),
        ...gateConstants(t.x, gate),
        ...inputRows(t.x),
        ...outputRows(t.y),
      },
      reads: { x: t.x, w: t.w, bias, coef, residual, gate },
      writes: { y: t.y, partial: node.outputs.partial },
      workgroups,
      flops: convFlops(t),
    },
  ];
}

function backwardInput(node: Node<ConvBackwardInput>, { tuning }: LowerContext): Dispatch[] {
  const t = backwardInputTensors(node);
  const { addend, coef, yRaw, xRaw } = node.inputs;
  const { constants, workgroups } = backwardInputCut(t, tuning);
  return [
    {
      shader: 'gemm/backward_input',
      constants: {
        ...geometry(t, tuning),
        ...constants,
        N: t.x.shape[0],
        ROWS: pixelsOf(t.x),
        ...epilogueConstants(t.attrs),
        ...gradientConstants(t, yRaw),
        ...inputRows(xRaw ?? t.x),
        ...outputRows(yRaw ?? t.y),
        ADDEND: addend !== undefined,
        ADDEND_C4: addend ? vec4s(addend) : 0,
      },
      bytes: backwardInputBytes(node),
      reads: { dy: t.y, w: t.w, addend, coef, y_raw: yRaw, x_raw: xRaw },
      writes: { dx: t.x, partial: node.outputs.partial },
      workgroups,
      flops: convFlops(t),
    },
  ];
}

interface WeightTiles {
  inputs: number;
  outputs: number;
  across: number;
}

/** The tiles of a weight gradient's workgroup: those of the fewest loads a product, what is beyond the edges counted in. */
function weightTiles(m4: number, co4: number, { sums, load }: Tuning): WeightTiles {
  const down = (t: WeightTiles) => (WORKGROUP / t.across) * t.inputs;
  const over = (t: WeightTiles) => t.across * t.outputs;
  const cost = (t: WeightTiles) =>
    Math.ceil(m4 / down(t)) *
    Math.ceil(co4 / over(t)) *
    (WORKGROUP * (4 * t.inputs * t.outputs + (load / 4) * (t.inputs + t.outputs)) +
      load * (down(t) + 2 * over(t)));
  const tiles = SIDES.flatMap((inputs) => SIDES.map((outputs) => ({ inputs, outputs })))
    .filter(({ inputs, outputs }) => inputs * outputs <= Math.max(1, sums / 4))
    .flatMap((tile) => ACROSS.map((across) => ({ ...tile, across })))
    .filter((t) => down(t) <= WORKGROUP && over(t) <= WORKGROUP);
  return tiles.reduce((best, tile) => (cost(tile) < cost(best) ? tile : best));
}

function backwardWeight(node: Node<ConvBackwardWeight>, context: LowerContext): Dispatch[] {
  const t = backwardWeightTensors(node);
  const { coef, yRaw, gate } = node.inputs;
  const rows = pixelsOf(t.y);
  const m4 = tapsOf(t) * vec4s(t.x);
  const tile = weightTiles(m4, vec4s(t.y), context.tuning);
  const blockInputs = (WORKGROUP / tile.across) * tile.inputs;
  const blockOutputs = tile.across * tile.outputs;
  const down = Math.ceil(m4 / blockInputs);
  const across = Math.ceil(vec4s(t.y) / blockOutputs);
  // a split's sums are written and read once more: as few as fill a device, of 64 rows or more
  const wanted = Math.ceil(context.tuning.threads / WORKGROUP / (down * across));
  const splits = Math.max(1, Math.min(wanted, Math.ceil(rows / 64)));
  const stageRows = SIDES.find((s) => s * (blockInputs + blockOutputs) <= STAGED) ?? 1;
  const { partial, finish } = partsOf(node.name, t.w, splits, context);
  const bias = biasParts(node, splits, context);
  return [
    {
      shader: 'gemm/backward_weight',
      constants: {
        ...geometry(t, context.tuning),
        ...prologueConstants(t.attrs),
        ...gateConstants(t.x, gate),
        ...gradientConstants(t, yRaw),
        ...inputRows(t.x),
        ...outputRows(yRaw ?? t.y),
        BIAS: bias.partial !== undefined,
        ROWS: rows,
        CI: t.x.shape[3],
        SPLITS: splits,
        INPUT_VEC4S: tile.inputs,
        OUTPUT_VEC4S: tile.outputs,
        SUMS: 4 * tile.inputs * tile.outputs,
        THREADS_ACROSS: tile.across,
        STAGE_ROWS: stageRows,
        STAGED_INPUTS: Math.ceil((stageRows * blockInputs) / WORKGROUP),
        STAGED_OUTPUTS: Math.ceil((stageRows * blockOutputs) / WORKGROUP),
        BLOCKS_DOWN: down,
        BLOCKS_ACROSS: across,
      },
      reads: { x: t.x, dy: t.y, coef, y_raw: yRaw, gate },
      writes: { partial, bias_partial: bias.partial },
      workgroups: workgroupsFor(splits * down * across * WORKGROUP),
      flops: convFlops(t),
    },
    ...finish,
    ...bias.finish,
  ];
}

/** One group, no dilation, on devices whose products read from workgroup memory: products of matrices (implicit GEMM). */
export const gemm: ConvFamily = {
  fits: (t, tuning) => tuning.workgroupMemory && dense.fits(t, tuning),
  forward,
  backwardInput,
  backwardWeight,
  outputBlocks: (t, tuning) => lineGrid(pixelsOf(t.y), forwardCut(t, tuning).constants.ROWS_PER_BLOCK),
  sumsBias: () => true,
  views: (t, tuning) => ({ x: pointwise.fits(t, tuning), y: true }),
  accumulates: () => true,
  gates: pointwise.fits,
  inputBlocks: (t, tuning) => backwardInputCut(t, tuning).constants.BLOCKS,
};
