/** Batch norms' gradients where they are read. */
import { isNodeOf } from '../graph/graph';
import type { Node, NodeOf } from '../graph/ir';
import { elements, type Tensor } from '../graph/tensor';
import { convOps } from '../ops/conv/conv2d';
import { backwardInputTensors, backwardWeightTensors } from '../ops/conv/family';
import { batchNormOps } from '../ops/norm/batch-norm';
import { partSumsOp } from '../ops/norm/part-sums';
import { fuses, type Nodes, readsOnlyAs } from './nodes';

type Reader = NodeOf<typeof convOps.backwardInput> | NodeOf<typeof convOps.backwardWeight>;
/** The node that writes the coefficients of a batch norm's gradient. */
export type Sums =
  | NodeOf<typeof batchNormOps.finishSums>
  | NodeOf<typeof batchNormOps.backwardSums>
  | NodeOf<typeof partSumsOp>;

/** Leaves a norm's gradient to the convolutions that read it, where all of them can make it: a pass over the tensor less, and no copy of it kept. */
export function moveGradient(nodes: Nodes, node: NodeOf<typeof batchNormOps.backwardApply>): void {
  const { dy: g, x: yRaw, bcoef, addend } = node.inputs;
  if (node.attrs.activation !== 'none' || addend || !bcoef) return;
  const readers = gradientReaders(nodes, node.outputs.dx);
  if (!readers) return;
  readThrough(nodes, readers, { g, yRaw, sums: sumsOf(nodes, bcoef)!, bcoef });
  nodes.remove(node);
}

/** Who reads the gradient `dy`, where all of these are convolutions that can make it of what it is made of. */
export function gradientReaders(nodes: Nodes, dy: Tensor): Reader[] | undefined {
  const takes = (n: Node): n is Reader =>
    readsOnlyAs('dy', n, dy) &&
    !n.inputs.yRaw &&
    ((isNodeOf(n, convOps.backwardInput) && fuses(backwardInputTensors(n), nodes)) ||
      (isNodeOf(n, convOps.backwardWeight) && fuses(backwardWeightTensors(n), nodes)));
  const readers = nodes.readers(dy);
  return readers.length > 0 && readers.every(takes) ? readers : undefined;
}

/** Who writes `bcoef`. */
export const sumsOf = (nodes: Nodes, bcoef: Tensor): Sums | undefined =>
  nodes.producer(batchNormOps.finishSums, 'bcoef', bcoef) ??
  nodes.producer(batchNormOps.backwardSums, 'bcoef', bcoef) ??
  nodes.producer(partSumsOp, 'bcoef', bcoef);

/** Has readers take A * g + B * yRaw + C, of the rows `bcoef` that `sums` writes. */
export function readThrough(
  nodes: Nodes,
  readers: readonly Reader[],
  { g, yRaw, sums, bcoef }: { g: Tensor; yRaw: Tensor; sums: Sums; bcoef: Tensor },
): void {
  // both passes of the convolution read the same coefficients; those of its input's batch norm come first
  const prefix = readers.find((n) => n.inputs.coef)?.inputs.coef;
  const before = prefix ? elements(prefix) : 0;
  const coef = prefix
    ? nodes.graph.tensor(`${bcoef.name} and ${prefix.name}`, [before + elements(bcoef)])
    : bcoef;
  sums.inputs.prefix = prefix;
  sums.outputs.bcoef = coef;
  for (const n of readers) {
    n.inputs.dy = g;
    n.inputs.coef = coef;
    n.inputs.yRaw = yRaw;
    n.attrs.gradientCoef = before / 4;
  }
}
