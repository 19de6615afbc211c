/** The gradients of a concatenation's parts, read where they lie. */
import { isNodeOf } from '../graph/graph';
import type { Node, NodeOf } from '../graph/ir';
import { gatherOp } from '../ops/channels';
import { convFamily, convOps } from '../ops/conv/conv2d';
import { backwardInputTensors } from '../ops/conv/family';
import { batchNormOps } from '../ops/norm/batch-norm';
import { partSumsOp } from '../ops/norm/part-sums';
import { type Nodes, readsOnlyAs } from './nodes';
import { isSlice } from './slices';

type Gather = NodeOf<typeof gatherOp>;

/**
 * A concatenation passes its gradient on in slices, a copy for each of its parts. Where a batch norm wrote the part, the sums of its
 * backward pass read the gradient in place, and write it behind the norm's activation for whoever reads it further on; where a
 * convolution adds the slice to what it writes, and the slice is the beginning, it reads that in place.
 */
export function readParts(nodes: Nodes): void {
  nodes.each(gatherOp, (slice) => {
    if (slice.phase !== 'backward' || !isSlice(slice)) return;
    // what is shuffled is cut in the same dispatch (see regroup.ts)
    if (nodes.producer(gatherOp, 'y', slice.inputs.x)) return;
    if (readBySums(nodes, slice) || readAsAddend(nodes, slice)) nodes.remove(slice);
  });
}

type Sums = NodeOf<typeof batchNormOps.backwardSums>;
type Apply = NodeOf<typeof batchNormOps.backwardApply>;

function readBySums(nodes: Nodes, { inputs: { x: dy }, outputs, attrs }: Gather): boolean {
  const readers = nodes.readers(outputs.y);
  const sums = readers.find((n): n is Sums => isNodeOf(n, batchNormOps.backwardSums));
  const apply = readers.find((n): n is Apply => isNodeOf(n, batchNormOps.backwardApply));
  if (!sums || !apply || readers.length > 2 || apply.inputs.x !== sums.inputs.x) return false;
  if (![sums, apply].every((n) => readsOnlyAs('dy', n, outputs.y))) return false;
  const { x, coef } = sums.inputs;
  const g = nodes.graph.tensor(`${sums.name} gradient`, x.shape);
  const { activation } = sums.attrs;
  const node: Node = sums;
  node.outputs = { ...sums.outputs, g };
  nodes.become(node, partSumsOp, { dy, x, coef }, { activation, from: attrs.offset });
  apply.inputs.dy = g;
  apply.attrs.activation = 'none';
  return true;
}

function readAsAddend(nodes: Nodes, { inputs: { x }, outputs: { y }, attrs }: Gather): boolean {
  const [conv, other] = nodes.readers(y);
  if (!conv || other || attrs.offset > 0 || !isNodeOf(conv, convOps.backwardInput)) return false;
  if (!readsOnlyAs('addend', conv, y)) return false;
  const t = backwardInputTensors(conv);
  if (!convFamily(t, nodes.tuning).addsBeginnings?.(t, nodes.tuning)) return false;
  conv.inputs.addend = x;
  return true;
}
