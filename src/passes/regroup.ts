/** Concatenations, shuffles and slices in a row. */
import { type Graph, isNodeOf } from '../graph/graph';
import type { NodeOf } from '../graph/ir';
import { present, type Tensor } from '../graph/tensor';
import type { addOp } from '../ops/add';
import { concatOp, gatherOp, numbered } from '../ops/channels';
import { batchNormOps } from '../ops/norm/batch-norm';
import { MOST_REGROUPED, regroupOp } from '../ops/regroup';
import type { Nodes } from './nodes';
import { isPlain, isSlice } from './slices';

type Gather = NodeOf<typeof gatherOp>;

/**
 * Puts a concatenation, the shuffle of its result, and the slices of that into one dispatch, whichever of them there are; in the
 * backward pass likewise, where the gradients of slices are put side by side, shuffled back and cut. What lies between is never
 * written, nor, with `norms`, what batch norms make of two of the tensors.
 */
export function regroupChannels(graph: Graph, norms: boolean): void {
  for (const node of graph.nodes.filter((n) => isNodeOf(n, gatherOp)))
    if (isShuffle(node)) regroup(graph, node);
  const cuts = graph.nodes.filter((n) => isNodeOf(n, gatherOp)).filter(isSlice);
  for (const x of new Set(cuts.map(({ inputs }) => inputs.x))) cut(graph, x);
  if (!norms) return;
  for (const node of graph.nodes.filter((n) => isNodeOf(n, regroupOp)))
    for (const i of [0, 1]) readNorm(graph, node, i);
}

/** Has the dispatch that puts a sum's term together of others, without a copy, add the other term. */
export function addToRegrouped(nodes: Nodes, node: NodeOf<typeof addOp>): void {
  const { a, b } = node.inputs;
  for (const [term, other] of [
    [a, b],
    [b, a],
  ]) {
    const writer = nodes.producer(regroupOp, 'y0', term);
    if (!writer || term === other || nodes.readers(term).length > 1) continue;
    const { x2, residual } = writer.inputs;
    if (x2 || residual || present(writer.outputs).length > 1) continue;
    writer.inputs.residual = other;
    writer.outputs.y0 = node.outputs.y;
    nodes.replace(node, writer);
    return;
  }
}

function regroup(graph: Graph, shuffle: Gather): void {
  const { x } = shuffle.inputs;
  const concat = graph.nodes.find((n) => isNodeOf(n, concatOp) && n.outputs.y === x);
  const tensors = concat ? present(concat.inputs) : [];
  const joins =
    concat && isNodeOf(concat, concatOp) && concat.attrs.skip === 0 && tensors.length <= MOST_REGROUPED;
  const gone = joins && readers(graph, x).length === 1 ? [concat] : [];
  const inputs = gone.length > 0 ? tensors : [x];
  const slices = slicesOf(graph, shuffle.outputs.y);
  const outputs = slices?.map(({ outputs: { y } }) => y) ?? [shuffle.outputs.y];
  if (gone.length === 0 && !slices) return;
  Object.assign(shuffle, {
    op: regroupOp,
    inputs: numbered(inputs),
    outputs: named('y', outputs),
    attrs: { groups: shuffle.attrs.groups },
  });
  drop(graph, [...gone, ...(slices ?? [])]);
}

/** Has the i-th tensor of a regrouping read as the raw output that a batch norm makes it of, if nothing else reads it. */
function readNorm(graph: Graph, node: NodeOf<typeof regroupOp>, i: number): void {
  const t = node.inputs[`x${i}`];
  const norm = t && graph.nodes.find((n) => isNodeOf(n, batchNormOps.affineAct) && n.outputs.y === t);
  if (!norm || !isNodeOf(norm, batchNormOps.affineAct) || readers(graph, t).length > 1) return;
  const { x, coef, residual, x1 } = norm.inputs;
  const { activation } = norm.attrs;
  // one activation a kernel
  if (residual || x1 || (node.attrs.activation ?? activation) !== activation) return;
  Object.assign(node.inputs, { [`x${i}`]: x, [`coef${i}`]: coef });
  node.attrs.activation = activation;
  drop(graph, [norm]);
}

/** Has the slices of a tensor written in one dispatch, in the place of the first. */
function cut(graph: Graph, x: Tensor): void {
  const slices = slicesOf(graph, x);
  if (!slices) return;
  const first = graph.nodes.find((n) => slices.includes(n as Gather))!;
  Object.assign(first, {
    op: regroupOp,
    inputs: { x0: x },
    outputs: named(
      'y',
      slices.map(({ outputs: { y } }) => y),
    ),
    attrs: { groups: 1 },
  });
  drop(
    graph,
    slices.filter((n) => n !== first),
  );
}

/** The nodes that read a tensor in slices that make up all of it, in the order of channels; undefined where others read it. */
function slicesOf(graph: Graph, x: Tensor): Gather[] | undefined {
  const all = readers(graph, x);
  const slices = all.filter((n) => isNodeOf(n, gatherOp)).filter(isSlice);
  if (slices.length !== all.length || slices.length < 2 || slices.length > MOST_REGROUPED) return undefined;
  slices.sort((a, b) => a.attrs.offset - b.attrs.offset);
  let end = 0;
  for (const { attrs, outputs } of slices) {
    if (attrs.offset !== end) return undefined;
    end += outputs.y.shape[3];
  }
  return end === x.shape[3] ? slices : undefined;
}

const isShuffle = (node: Gather): boolean => isPlain(node) && node.attrs.groups > 1;

const readers = (graph: Graph, t: Tensor) => graph.nodes.filter((n) => present(n.inputs).includes(t));

const named = (name: string, tensors: readonly Tensor[]): Record<string, Tensor> =>
  Object.fromEntries(tensors.map((t, i) => [`${name}${i}`, t]));

function drop(graph: Graph, nodes: readonly unknown[]): void {
  const gone = new Set(nodes);
  graph.nodes = graph.nodes.filter((node) => !gone.has(node));
}
