/** Batch norms and activations that happen as their output is read. */
import { isNodeOf } from '../graph/graph';
import type { Node, NodeOf } from '../graph/ir';
import { present, type Tensor } from '../graph/tensor';
import {
  type Activation,
  activationBackwardOp,
  activationOp,
  isSimple,
  keepsZero,
  type Prologue,
  tellsByOutput,
} from '../ops/activation';
import { concatOp, gatherOp } from '../ops/channels';
import { convOps } from '../ops/conv/conv2d';
import { backwardWeightTensors, forwardTensors } from '../ops/conv/family';
import { dropOp } from '../ops/dropout';
import { mulFactorGradient } from '../ops/mul';
import { batchNormOps } from '../ops/norm/batch-norm';
import { responseNormOps } from '../ops/norm/response-norm';
import { avgPoolOp, maxPoolBackwardOp, maxPoolOp } from '../ops/pool';
import { MOST_REGROUPED, regroupOp } from '../ops/regroup';
import { fuses, type Nodes, readsOnlyAs } from './nodes';

/** How a node reads a tensor that it could make itself of what the tensor is made of. */
interface Reading {
  /** behind a batch norm too, and not an activation alone */
  takesNorm: boolean;
  /** has the node read `x` with that prologue in the place of the tensor */
  read(x: Tensor, prologue: Prologue & { coef?: Tensor }): void;
}

/** How its readers read `y`, which an activation writes; undefined where one of them needs it as it is, or all would compute too much again. */
export function readingsOf(nodes: Nodes, y: Tensor, kind: Activation): Reading[] | undefined {
  if (nodes.tuning.storesExponentials && !isSimple(kind)) return undefined;
  const readings = nodes.readers(y).map((node) => readingOf(nodes, node, y, kind));
  return readings.length > 0 && readings.every((reading) => reading !== undefined) ? readings : undefined;
}

function readingOf(nodes: Nodes, node: Node, y: Tensor, kind: Activation): Reading | undefined {
  if (isNodeOf(node, mulFactorGradient) && readsOnlyAs('a', node, y)) return reading(node, 'a');
  if (node.op === concatOp || node.op === regroupOp) return partReading(nodes, node, y, kind);
  // a derivative that the activation's output tells is told by its input as well
  if (isNodeOf(node, convOps.backwardInput) && node.attrs.derivative === kind && readsOnlyAs('xRaw', node, y))
    return tellsByOutput(kind) ? inputReading(node, 'xRaw') : undefined;
  if (!readsOnlyAs('x', node, y)) return undefined;
  if (isNodeOf(node, activationBackwardOp))
    return node.attrs.kind === kind && tellsByOutput(kind) ? inputReading(node, 'x') : undefined;
  if (isNodeOf(node, convOps.forward))
    return !node.attrs.outputActivation && fuses(forwardTensors(node), nodes)
      ? reading(node, 'x')
      : undefined;
  if (isNodeOf(node, convOps.backwardWeight))
    return fuses(backwardWeightTensors(node), nodes) ? reading(node, 'x') : undefined;
  if (isNodeOf(node, responseNormOps.backwardInput)) return { ...reading(node, 'x'), takesNorm: false };
  // the rest do not multiply with what is zero in the padding of channels
  if (!keepsZero(kind)) return undefined;
  if (isNodeOf(node, responseNormOps.forward)) return { ...reading(node, 'x'), takesNorm: false };
  const takes = [avgPoolOp, maxPoolOp, maxPoolBackwardOp, dropOp].some((op) => node.op === op);
  return takes ? reading(node, 'x') : undefined;
}

/** The reading of a node whose input of that name may have a prologue. */
const reading = (node: Node, name: string): Reading => ({
  takesNorm: true,
  read: (x, { coef, ...prologue }) => {
    node.inputs[name] = x;
    if (coef) node.inputs.coef = coef;
    Object.assign(node.attrs, prologue);
  },
});

/** A concatenation of few tensors reads two through their batch norms; one whose result is shuffled waits for what regroup.ts makes of it. */
function partReading(nodes: Nodes, node: Node, y: Tensor, kind: Activation): Reading | undefined {
  const i = [0, 1].find((j) => readsOnlyAs(`x${j}`, node, y));
  const [first, ...others] = present(node.outputs);
  if (i === undefined || others.length > 0 || !nodes.producer(batchNormOps.affineAct, 'y', y))
    return undefined;
  if (isNodeOf(node, concatOp)) {
    const isPlain = node.attrs.skip === 0 && present(node.inputs).length <= MOST_REGROUPED;
    const isShuffled = nodes.readers(first).some((n) => isNodeOf(n, gatherOp) && n.attrs.groups > 1);
    if (!isPlain || isShuffled) return undefined;
    // one activation a kernel
  } else if (isNodeOf(node, regroupOp) && (node.attrs.activation ?? kind) !== kind) return undefined;
  return {
    takesNorm: true,
    read: (x, { coef, activation }) =>
      Object.assign(node, {
        op: regroupOp,
        inputs: { ...node.inputs, [`x${i}`]: x, [`coef${i}`]: coef },
        outputs: { y0: first },
        attrs: { groups: 1, ...(node.op === regroupOp && node.attrs), activation },
      }),
  };
}

/** The reading of a node that does the same to the activation's input. */
const inputReading = (node: Node, name: string): Reading => ({
  takesNorm: false,
  read: (x) => {
    node.inputs[name] = x;
  },
});

/**
 * Has activations without a batch norm happen where their output is read, if no writer of their input takes them in: what they
 * would write is then never stored.
 */
export function moveInputActivations(nodes: Nodes): void {
  nodes.each(activationOp, (node) => moveInputActivation(nodes, node));
  nodes.each(activationBackwardOp, (node) => moveResponseDerivative(nodes, node));
}

function moveInputActivation(nodes: Nodes, node: NodeOf<typeof activationOp>): void {
  const { kind } = node.attrs;
  const readings = readingsOf(nodes, node.outputs.y, kind);
  if (!readings) return;
  for (const { read } of readings) read(node.inputs.x, { inputActivation: kind });
  nodes.remove(node);
}

/** The gradient of a response norm whose input is activated as it is read is written as that before the activation. */
function moveResponseDerivative(nodes: Nodes, node: NodeOf<typeof activationBackwardOp>): void {
  const { x, dy, addend } = node.inputs;
  const gradient = nodes.producer(responseNormOps.backwardInput, 'dx', dy);
  if (!gradient || addend || nodes.readers(dy).length > 1) return;
  if (gradient.inputs.x !== x || gradient.attrs.inputActivation !== node.attrs.kind) return;
  gradient.attrs.derivative = true;
  gradient.outputs.dx = node.outputs.dx;
  nodes.remove(node);
}
