/** Batch norms of what has been put side by side, as in DenseNets, whose norms each read all that came before. */
import { isNodeOf } from '../graph/graph';
import type { NodeOf } from '../graph/ir';
import { present, product, type Tensor } from '../graph/tensor';
import { concatOp, gatherOp } from '../ops/channels';
import { convFamily, convOps } from '../ops/conv/conv2d';
import { backwardInputTensors, forwardTensors } from '../ops/conv/family';
import { batchNormOps } from '../ops/norm/batch-norm';
import { gradientReaders, readThrough, sumsOf } from './gradients';
import type { Nodes } from './nodes';
import { isSlice } from './slices';

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
const isBeginning = (node: NodeOf<typeof gatherOp>): boolean =>
  isSlice(node) && node.attrs.offset === 0 && node.outputs.y.shape[3] % 4 === 0;

type Apply = NodeOf<typeof batchNormOps.backwardApply>;

/**
 * Norms that each read all that came before give gradients A * g + B * x + C of which the first parts add up: x is the same, so
 * that only A * g + A' * g' ... has to be summed, and of B and C numbers a channel. A is known before the sums that B and C are
 * made of, so the convolution that makes g writes A * g plus the sum so far, and no pass of a norm's own is left. Whoever reads
 * the sum adds B * x + C: the convolution that wrote the part behind the first, or the norm of the first.
 */
export function accumulate(nodes: Nodes): void {
  nodes.each(batchNormOps.backwardApply, (node) => accumulateGradient(nodes, node));
}

function accumulateGradient(nodes: Nodes, node: Apply): void {
  const { dy: g, x, bcoef, addend } = node.inputs;
  const { dx } = node.outputs;
  const conv = nodes.producer(convOps.backwardInput, 'dx', g);
  const sums = bcoef && sumsOf(nodes, bcoef);
  const targets = targetsOf(nodes, node);
  if (!conv || !sums || !targets || conv.inputs.addend || node.attrs.activation !== 'none') return;
  const t = backwardInputTensors(conv);
  if (nodes.readers(g).length > 1 || !convFamily(t, nodes.tuning).accumulates?.(t)) return;
  const { slice, second, readers, before } = targets;
  const order = nodes.graph.nodes;
  if (order.indexOf(before) < order.indexOf(sums)) return;
  if (addend && order.findIndex((n) => present(n.outputs).includes(addend)) > order.indexOf(conv)) return;
  conv.inputs.addend = addend;
  conv.outputs.dx = dx;
  conv.attrs.accumulates = true;
  sums.outputs.rest = nodes.graph.tensor(`${node.name} rest`, [2, x.shape[3]]);
  before.inputs.later = sums.outputs.rest;
  const own = nodes.graph.tensor(`${second.name} bcoef`, [3, second.shape[3]]);
  readThrough(nodes, readers, { g: slice, yRaw: second, sums, bcoef: own });
  nodes.remove(node);
}

/** Who reads the gradient of a concatenation of two: the convolution that wrote the second, and the norm of the first. */
function targetsOf(nodes: Nodes, { inputs: { x }, outputs: { dx } }: Apply) {
  const concat = nodes.producer(concatOp, 'y', x);
  const [first, second, third] = concat ? present(concat.inputs) : [];
  const [a, b, c] = nodes.readers(dx);
  const apply = [a, b].find((n) => n && isNodeOf(n, batchNormOps.backwardApply)) as Apply | undefined;
  const slice = [a, b].find((n) => n && isNodeOf(n, gatherOp)) as NodeOf<typeof gatherOp> | undefined;
  if (!apply || !slice || c || third || first.shape[3] % 4 > 0) return undefined;
  const isSecond = isSlice(slice) && slice.attrs.offset === first.shape[3];
  const readers = gradientReaders(nodes, slice.outputs.y);
  const before = apply.inputs.x === first && apply.inputs.bcoef && sumsOf(nodes, apply.inputs.bcoef);
  if (!isSecond || !readers || !before || apply.inputs.dy === dx) return undefined;
  return { slice: slice.outputs.y, second, readers, before };
}
