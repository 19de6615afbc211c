import type { Constants, Dispatch, LowerContext, Node } from '../../graph/ir';
import { bytesOf, pad4, pitchOf, present, product, startOf, type Tensor } from '../../graph/tensor';
import type { Tuning } from '../../graph/tuning';
import { ACTIVATIONS, type Activation, type Prologue, prologueConstants } from '../activation';
import type { BlockGrid } from '../blocks';
import { partsOf } from '../reduce';

/** PyTorch's names and meanings; pairs are [height, width]. */
export interface ConvAttributes {
  stride: [number, number];
  /** above and left of the image; at the other sides too, unless `paddingEnd` is given */
  padding: [number, number];
  /** below and right of the image, which only the output's size tells of */
  paddingEnd?: [number, number];
  dilation: [number, number];
  groups: number;
}

/**
 * A convolution's attributes as its nodes carry them. Its three nodes can take on the batch norms around it, all by
 * optional inputs and outputs:
 * - `activation` with `coef` `[4, ci]` (mean, rstd, scale, shift): x is the raw output of the convolution before, and what
 *   is convolved is activate(scale * x + shift), padding of the image 0. In the backward input with `xRaw`: what is written
 *   is the gradient behind that batch norm, g = (dx + addend) * activate'(scale * xRaw + shift), and `partial` of it.
 * - `inputActivation`, in the place of `activation` where there is no batch norm: what is convolved is activate(x).
 * - `gate` `[n, 1, 1, ci]`, of families that have `gates`: what is convolved is multiplied with it; or `[n, 2, ci]` of factors
 *   and terms, which are added.
 * - `outputActivation`, only where x is not activated: forward writes activate(y).
 * - `outputNorm`: forward's bias is the coef of the batch norm behind it, of running statistics; it writes
 *   activate(scale * y + shift).
 * - `residual`: forward adds it to what it writes; with `activateLast`, `outputActivation` comes after it.
 * - `derivative` with `xRaw`, in the backward input without `activation`: what is written is (dx + addend) * activate'(xRaw).
 * - `accumulates` beside `xRaw`, of families that can: what is written is scale * g + addend, where the addend may have more
 *   channels, of which the first are taken.
 * - `yRaw` with rows (A, B, C) `[3, co]` at the end of `coef`: dy is the gradient g behind the batch norm of this
 *   convolution's own output, and what is taken is A * g + B * yRaw + C.
 */
export interface FusedConvAttributes extends ConvAttributes, Prologue {
  outputActivation?: Activation;
  outputNorm?: boolean;
  activateLast?: boolean;
  derivative?: Activation;
  accumulates?: boolean;
  /** vec4s in `coef` before the gradient's [A, B, C]; default: the four rows of x's batch norm where `activation` is there */
  gradientCoef?: number;
}

export interface ConvForward {
  inputs: { x: Tensor; w: Tensor; bias?: Tensor; coef?: Tensor; residual?: Tensor; gate?: Tensor };
  /** `partial` `[outputBlocks.count, 2, co]`: (mean, M2) of y a block */
  outputs: { y: Tensor; partial?: Tensor };
  attrs: FusedConvAttributes;
}

export interface ConvBackwardInput {
  inputs: { dy: Tensor; w: Tensor; addend?: Tensor; coef?: Tensor; yRaw?: Tensor; xRaw?: Tensor };
  /** `partial` `[inputBlocks, 2, ci]`: (sum g, sum g * xhat) a block */
  outputs: { dx: Tensor; partial?: Tensor };
  attrs: FusedConvAttributes;
}

export interface ConvBackwardWeight {
  inputs: { x: Tensor; dy: Tensor; coef?: Tensor; yRaw?: Tensor; gate?: Tensor };
  /** `db` `[co]`, of families that can: the bias's gradient */
  outputs: { dw: Tensor; db?: Tensor };
  attrs: FusedConvAttributes;
}

/** The tensors of a convolution, whichever of its three nodes they come from; x, w and y may be gradients. */
export interface ConvTensors {
  x: Tensor;
  w: Tensor;
  y: Tensor;
  attrs: FusedConvAttributes;
}

/** Shaders for the three passes of a kind of convolution. */
export interface ConvFamily {
  fits(t: ConvTensors, tuning: Tuning): boolean;
  forward(node: Node<ConvForward>, context: LowerContext): Dispatch[];
  backwardInput(node: Node<ConvBackwardInput>, context: LowerContext): Dispatch[];
  backwardWeight(node: Node<ConvBackwardWeight>, context: LowerContext): Dispatch[];
  /** how the forward shader cuts y, for its `partial`; absent: fuses nothing */
  outputBlocks?(t: ConvTensors, tuning: Tuning): BlockGrid;
  /** whether backwardWeight can sum its `db`; absent: never */
  sumsBias?(t: ConvTensors, tuning: Tuning): boolean;
  /** whether what is read can be multiplied with a `gate`; absent: never */
  gates?(t: ConvTensors, tuning: Tuning): boolean;
  /** whether x may be a view that begins with its whole, and y any view, or x and y before their batch norms; absent: never */
  views?(t: ConvTensors, tuning: Tuning): { x: boolean; y: boolean };
  /** whether the addend of backwardInput may have more channels, of which the first are taken; absent: never */
  addsBeginnings?(t: ConvTensors, tuning: Tuning): boolean;
  /** whether backwardInput `accumulates`; absent: never */
  accumulates?(t: ConvTensors): boolean;
  /** the number of per-block sums that backwardInput writes */
  inputBlocks?(t: ConvTensors, tuning: Tuning): number;
}

/** Size constants of the fast shaders: image, output and kernel. */
export function sizes({ x, w, y, attrs }: ConvTensors): Constants {
  return {
    N: x.shape[0],
    H: x.shape[1],
    W: x.shape[2],
    OH: y.shape[1],
    OW: y.shape[2],
    KH: w.shape[0],
    KW: w.shape[1],
    SH: attrs.stride[0],
    SW: attrs.stride[1],
    PH: attrs.padding[0],
    PW: attrs.padding[1],
  };
}

/** Multiply-adds counted as two, of any of the three passes. */
export const convFlops = ({ w, y }: ConvTensors): number =>
  2 * product(y.shape) * product(w.shape.slice(0, 3));

/** vec4s of channels. */
export const vec4s = (t: Tensor): number => pad4(t.shape[3]) / 4;

/** Constants of the gate of a product's rows. */
export const gateConstants = (x: Tensor, gate: Tensor | undefined): Constants => ({
  PIXELS: x.shape[1] * x.shape[2],
  ...(gate && { GATE: true, GATE_SHIFT: gate.shape.length === 3 }),
});

/** Constants of what is done to dx as it is written: the gradient of batch norm and activation, or of an activation alone. */
export function epilogueConstants({ activation, derivative, accumulates }: FusedConvAttributes): Constants {
  if (derivative) return { DERIVATIVE: true, ACTIVATION: ACTIVATIONS[derivative] };
  if (activation === undefined) return {};
  return { EPILOGUE: true, ACTIVATION: ACTIVATIONS[activation], ...(accumulates && { ACCUMULATE: true }) };
}

/** How the rows of x, or x before its batch norm, lie in memory. */
export const inputRows = (x: Tensor): Constants => ({ X_PITCH: pitchOf(x) });

/** How the rows of y, or y before its batch norm, lie in memory. */
export const outputRows = (y: Tensor): Constants => ({ Y_PITCH: pitchOf(y), Y_START: startOf(y) });

/** Bytes that a backwardInput moves: of a wider addend no more than it writes. */
export const backwardInputBytes = ({ inputs, outputs }: Node<ConvBackwardInput>): number =>
  present({ ...inputs, addend: inputs.addend && outputs.dx, ...outputs }).reduce(
    (sum, t) => sum + bytesOf(t),
    0,
  );

/** Constants of the forward pass: what is done to x, or to y. */
export function forwardConstants(node: Node<ConvForward>): Constants {
  const { bias, residual } = node.inputs;
  const { outputActivation, outputNorm = false, activateLast = false } = node.attrs;
  return {
    ...(outputActivation === undefined
      ? prologueConstants(node.attrs)
      : { ACTIVATE: !activateLast, ACTIVATE_LAST: activateLast, ACTIVATION: ACTIVATIONS[outputActivation] }),
    BIAS: bias !== undefined && !outputNorm,
    NORM: outputNorm,
    RESIDUAL: residual !== undefined,
    STATISTICS: node.outputs.partial !== undefined,
  };
}

/** Constants of the prologue on dy; the rows of the input's batch norm, where there are some, come first in coef. */
export const gradientConstants = (t: ConvTensors, yRaw: Tensor | undefined): Constants =>
  yRaw
    ? {
        BACKWARD_PROLOGUE: true,
        BACKWARD_COEF: t.attrs.gradientCoef ?? (t.attrs.activation === undefined ? 0 : 4 * vec4s(t.x)),
      }
    : { BACKWARD_COEF: 0 };

/** The parts of the bias's gradient that backwardWeight writes beside the weight's, and the dispatches that add them. */
export const biasParts = (
  { name, outputs: { db } }: Node<ConvBackwardWeight>,
  parts: number,
  context: LowerContext,
): { partial?: Tensor; finish: Dispatch[] } =>
  db ? partsOf(`${name} bias`, db, parts, context) : { finish: [] };

/** Whether the row PH of the kernel meets every row of y: none of x beyond the image is read there. */
export const meetsAllRows = ({ x, w, y, attrs }: ConvTensors): boolean =>
  attrs.padding[0] < w.shape[0] && (y.shape[1] - 1) * attrs.stride[0] < x.shape[1];

/** The three tensors of a convolution that a node of each pass has. */
export const forwardTensors = ({
  inputs: { x, w },
  outputs: { y },
  attrs,
}: Node<ConvForward>): ConvTensors => ({
  x,
  w,
  y,
  attrs,
});
export const backwardInputTensors = ({
  inputs: { dy, w },
  outputs: { dx },
  attrs,
}: Node<ConvBackwardInput>): ConvTensors => ({ x: dx, w, y: dy, attrs });
export const backwardWeightTensors = ({
  inputs: { x, dy },
  outputs: { dw },
  attrs,
}: Node<ConvBackwardWeight>): ConvTensors => ({ x, w: dw, y: dy, attrs });
