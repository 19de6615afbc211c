import type { Graph, Node } from '../graph/graph';
import type { Constants, Dispatch } from '../graph/plan';
import { pad4, product, type Tensor } from '../graph/tensor';
import { ACTIVATIONS, type Activation } from './activation';

/** PyTorch's names and meanings; pairs are [height, width]. */
export interface ConvAttributes {
  stride: [number, number];
  padding: [number, number];
  dilation: [number, number];
  groups: number;
}

/**
 * A convolution's attributes as its nodes carry them. `activation`, where it is there, says that the node reads the
 * raw output of the convolution before (or writes the gradient of it): see conv2d.ts.
 */
export interface FusedConvAttributes extends ConvAttributes {
  activation?: Activation;
}

/** The tensors of a convolution, whichever of its three nodes they come from; x, w and y may be gradients. */
export interface ConvTensors {
  x: Tensor;
  w: Tensor;
  y: Tensor;
  attrs: FusedConvAttributes;
}

/**
 * How a shader cuts the output of a convolution into blocks: images times runs of rows times tiles of columns. Block b
 * has min(rowsPerBlock, rows - rowsPerBlock * (b / across % down)) rows and likewise columns, down = ceil(rows /
 * rowsPerBlock), across = ceil(columns / columnsPerBlock). Per-block sums are laid out [count, 2, channels].
 */
export interface BlockGrid {
  count: number;
  rows: number;
  rowsPerBlock: number;
  columns: number;
  columnsPerBlock: number;
}

/** Shaders for the three passes of a kind of convolution. */
export interface ConvFamily {
  fits(t: ConvTensors): boolean;
  forward(node: Node): Dispatch[];
  backwardInput(node: Node): Dispatch[];
  backwardWeight(node: Node, g: Graph): Dispatch[];
  /** how the forward shader cuts y, for its `partial`; absent: fuses nothing */
  outputBlocks?(t: ConvTensors): BlockGrid;
  /** the number of per-block sums that backwardInput writes */
  inputBlocks?(t: ConvTensors): number;
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
export const quads = (t: Tensor): number => pad4(t.shape[3]) / 4;

/** Constants of the prologue on x. */
export const inputConstants = (attrs: FusedConvAttributes, flag: 'PROLOGUE' | 'EPILOGUE'): Constants =>
  attrs.activation === undefined ? {} : { [flag]: true, ACTIVATION: ACTIVATIONS[attrs.activation] };

/** Constants of the prologue on dy; the rows of the input's batch norm, where there are some, come first in coef. */
export const gradientConstants = (t: ConvTensors, yRaw: Tensor | undefined): Constants =>
  yRaw ? { BACKWARD_PROLOGUE: true, BACKWARD_COEF: t.attrs.activation ? 4 * quads(t.x) : 0 } : {};

/** Rows a block, so that `perRow` threads a row give about `threads` of them, blocks are equal, and none is below `least`. */
export function rowsPerBlock(rows: number, perRow: number, threads = 16384, least = 4): number {
  const runs = Math.max(1, Math.min(Math.round(threads / perRow), Math.floor(rows / least)));
  return Math.ceil(rows / runs);
}

/** The inputs of a node, by the names of the shaders. */
export const forwardTensors = ({ inputs: [x, w, bias, coef], outputs: [y, partial], attrs }: Node) => ({
  t: { x: x!, w: w!, y, attrs } as ConvTensors,
  bias,
  coef,
  partial,
});
export const backwardInputTensors = ({
  inputs: [dy, w, addend, coef, yRaw, xRaw],
  outputs: [dx, partial],
  attrs,
}: Node) => ({
  t: { x: dx, w: w!, y: dy!, attrs } as ConvTensors,
  addend,
  coef,
  yRaw,
  xRaw,
  partial,
});
export const backwardWeightTensors = ({ inputs: [x, dy, coef, yRaw], outputs: [dw], attrs }: Node) => ({
  t: { x: x!, w: dw, y: dy!, attrs } as ConvTensors,
  coef,
  yRaw,
});
