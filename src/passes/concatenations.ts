/** Batch norms of what has been put side by side, as in DenseNets, whose norms each read all that came before. */
import type { NodeOf } from '../graph/ir';
import { present, product, type Tensor } from '../graph/tensor';
import { concatOp, gatherOp } from '../ops/channels';
import { convFamily, convOps } from '../ops/conv/conv2d';
import { forwardTensors } from '../ops/conv/family';
import { batchNormOps } from '../ops/norm/batch-norm';
import type { Nodes } from './nodes';

/**
 * The statistics of a concatenation are those of its parts. Where a norm of the first part has made these, and a convolution writes
 * the second and can sum its own, no pass over the whole is left.
 */
export function shareStatistics(nodes: Nodes): void {
  const norms = new Map<Tensor, Statistics>();
  nodes.each(batchNormOps.statistics, (node) => {
    const { x } = node.inputs;
    shareStatistic(nodes, node, norms);
    norms.set(x, node);
  });
}

type Statistics = NodeOf<typeof batchNormOps.statistics>;

function shareStatistic(nodes: Nodes, node: Statistics, norms: ReadonlyMap<Tensor, Statistics>): void {
  const { x, ...parameters } = node.inputs;
  const concat = nodes.producer(concatOp, 'y', x);
  const [first, second, third] = concat ? present(concat.inputs) : [];
  const before = first && norms.get(first);
  const conv = second && nodes.producer(convOps.forward, 'y', second);
  if (!before || !conv || conv.outputs.partial || third || concat!.attrs.skip > 0 || first.shape[3] % 4 > 0)
    return;
  const t = forwardTensors(conv);
  const blocks = convFamily(t, nodes.tuning).outputBlocks?.(t, nodes.tuning);
  if (!blocks) return;
  const partial = nodes.graph.tensor(`${node.name} partial statistics`, [blocks.count, 2, second.shape[3]]);
  conv.outputs.partial = partial;
  before.outputs.moments ??= nodes.graph.tensor(`${before.name} moments`, [2, first.shape[3]]);
  const inputs = { partial, before: before.outputs.moments, ...parameters };
  const attrs = { ...node.attrs, blocks, rows: product(x.shape.slice(0, 3)) };
  nodes.become(node, batchNormOps.finishStatistics, inputs, attrs);
}

/**
 * The gradient of a concatenation's first part is that of the whole, without a copy: the norm behind that part adds it in place.
 */
export function addInPlace(nodes: Nodes): void {
  nodes.each(batchNormOps.backwardApply, (node) => {
    const { addend } = node.inputs;
    const slice = addend && nodes.producer(gatherOp, 'y', addend);
    if (!slice || nodes.readers(addend).length > 1 || !isBeginning(slice)) return;
    node.inputs.addend = slice.inputs.x;
    nodes.remove(slice);
  });
}

/** Whether a node copies a tensor's first channels, whole vec4s of them. */
const isBeginning = ({ inputs: { x, addend }, outputs: { y }, attrs }: NodeOf<typeof gatherOp>): boolean =>
  !addend &&
  attrs.down === 1 &&
  attrs.up === 1 &&
  attrs.groups === 1 &&
  attrs.offset === 0 &&
  attrs.from === 0 &&
  y.shape[3] % 4 === 0 &&
  y.shape[3] < x.shape[3];
