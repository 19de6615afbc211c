/** Squeeze-and-excitations and response norms: one number a channel and image that all its pixels are multiplied with. */
import { isNodeOf } from '../graph/graph';
import type { Node, NodeOf } from '../graph/ir';
import type { Tensor } from '../graph/tensor';
import { convFamily, convOps } from '../ops/conv/conv2d';
import { backwardWeightTensors, forwardTensors } from '../ops/conv/family';
import { mulOp } from '../ops/mul';
import { batchNormOps } from '../ops/norm/batch-norm';
import { responseNormOps } from '../ops/norm/response-norm';
import { avgPoolBackwardOp } from '../ops/pool';
import { type Nodes, readsOnlyAs } from './nodes';

type Gated = NodeOf<typeof convOps.forward> | NodeOf<typeof convOps.backwardWeight>;

/** Has the 1x1 convolutions that read such a product, or the output of a response norm, multiply as they read. */
export function moveGates(nodes: Nodes): void {
  nodes.each(mulOp, (node) => {
    const { a, b, addend } = node.inputs;
    if (addend || node.attrs.factor !== 1 || !isGate(b, a)) return;
    if (readGated(nodes, node.outputs.y, a, b)) nodes.remove(node);
  });
  nodes.each(responseNormOps.forward, (node) => {
    const { x } = node.inputs;
    const gate = nodes.graph.tensor(`${node.name} gate`, [x.shape[0], 2, x.shape[3]]);
    if (!readGated(nodes, node.outputs.y!, x, gate)) return;
    node.outputs = { response: node.outputs.response, gate };
  });
}

/** Whether `b` has one number for each channel and image of `a`. */
const isGate = (b: Tensor, a: Tensor): boolean =>
  a !== b && b.shape.length === 4 && b.shape[1] * b.shape[2] === 1 && b.shape[0] === a.shape[0];

/** Has all readers of `y` read `x` and multiply it with `gate`, or changes nothing. */
function readGated(nodes: Nodes, y: Tensor, x: Tensor, gate: Tensor): boolean {
  const takes = (n: Node): n is Gated =>
    readsOnlyAs('x', n, y) &&
    ((isNodeOf(n, convOps.forward) && gates(nodes, forwardTensors(n))) ||
      (isNodeOf(n, convOps.backwardWeight) && gates(nodes, backwardWeightTensors(n))));
  const readers = nodes.readers(y);
  if (readers.length === 0 || !readers.every(takes)) return false;
  for (const n of readers) {
    n.inputs.x = x;
    n.inputs.gate = gate;
  }
  return true;
}

const gates = ({ tuning }: Nodes, t: ReturnType<typeof forwardTensors>): boolean =>
  convFamily(t, tuning).gates?.(t, tuning) ?? false;

/**
 * The gradient of what a squeeze-and-excitation reads is that behind its product times the gate, and the pool's. Has the backward
 * pass of the batch norm before it make this of the two as it reads, where the pool is of whole images, or else the pool's.
 */
export function moveSqueezes(nodes: Nodes): void {
  nodes.each(avgPoolBackwardOp, (node) => {
    const { dy: pooled, addend } = node.inputs;
    const { dx } = node.outputs;
    const product = addend && nodes.producer(mulOp, 'y', addend);
    if (!product || nodes.readers(addend).length > 1 || !isOfWholeImages(node)) return;
    const { a: dy, b: gate, addend: other } = product.inputs;
    if (other || product.attrs.factor !== 1 || !isGate(gate, dy)) return;
    const takes = (n: Node): n is NormGradient =>
      readsOnlyAs('dy', n, dx) &&
      (isNodeOf(n, batchNormOps.backwardSums) || isNodeOf(n, batchNormOps.backwardApply));
    const readers = nodes.readers(dx);
    nodes.remove(product);
    if (readers.length === 0 || !readers.every(takes)) {
      Object.assign(node.inputs, { addend: dy, gate });
      return;
    }
    for (const n of readers) Object.assign(n.inputs, { dy, gate, pooled });
    nodes.remove(node);
  });
}

type NormGradient = NodeOf<typeof batchNormOps.backwardSums> | NodeOf<typeof batchNormOps.backwardApply>;

const isOfWholeImages = ({
  inputs: { dy },
  outputs: { dx },
  attrs,
}: NodeOf<typeof avgPoolBackwardOp>): boolean =>
  dy.shape[1] * dy.shape[2] === 1 &&
  attrs.kernel[0] === dx.shape[1] &&
  attrs.kernel[1] === dx.shape[2] &&
  [...attrs.padding, ...(attrs.paddingEnd ?? [])].every((p) => p === 0);
