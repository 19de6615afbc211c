/** Concatenations without copies. */
import { isNodeOf } from '../graph/graph';
import type { Node, NodeOf } from '../graph/ir';
import { present, type Tensor } from '../graph/tensor';
import { concatOp } from '../ops/channels';
import { convFamily, convOps } from '../ops/conv/conv2d';
import {
  backwardInputTensors,
  backwardWeightTensors,
  type ConvTensors,
  forwardTensors,
} from '../ops/conv/family';
import { batchNormOps } from '../ops/norm/batch-norm';
import { partSumsOp } from '../ops/norm/part-sums';
import { avgPoolOp, maxPoolOp } from '../ops/pool';
import type { Nodes } from './nodes';

type Concat = NodeOf<typeof concatOp>;

/**
 * Has the parts of a concatenation written into their places, where their writers can and whoever reads them can find them there.
 * Of concatenations that read each other, as in a block of a DenseNet, all are then the beginning of the last.
 */
export function viewConcatenations(nodes: Nodes): void {
  const found: Concat[] = [];
  nodes.each(concatOp, (node) => found.push(node));
  for (const concat of found.reverse()) if (nodes.graph.nodes.includes(concat)) place(nodes, concat);
}

/** What is put together: the tensors by where they begin, those that are concatenations themselves too. */
interface Parts {
  starts: Map<Tensor, number>;
  concats: Concat[];
}

function place(nodes: Nodes, concat: Concat): void {
  const parts: Parts = { starts: new Map(), concats: [] };
  const whole = concat.outputs.y;
  if (!collect(nodes, concat, 0, parts)) return;
  const { starts, concats } = parts;
  const within = new Set([whole, ...starts.keys()]);
  const fits = [...starts].every(
    ([t, start]) =>
      isPart(t, start) &&
      nodes.readers(t).every((n) => concats.includes(n as Concat) || readsView(nodes, n, t, start)) &&
      (concats.some(({ outputs }) => outputs.y === t) || isWritten(nodes, t, within)),
  );
  if (!fits) return;
  for (const [t, from] of starts) t.view = { of: whole, from };
  for (const node of concats) nodes.remove(node);
}

/** Adds the inputs of a concatenation that begins at that channel, and theirs; false where a tensor would be in two places. */
function collect(nodes: Nodes, concat: Concat, start: number, parts: Parts): boolean {
  if (concat.attrs.skip > 0 || concat.phase !== 'forward') return false;
  parts.concats.push(concat);
  let from = start;
  for (const t of present(concat.inputs)) {
    if (parts.starts.has(t)) return false;
    parts.starts.set(t, from);
    const inner = nodes.producer(concatOp, 'y', t);
    if (inner && !collect(nodes, inner, from, parts)) return false;
    from += t.shape[3];
  }
  return true;
}

const isPart = ({ role, view }: Tensor, start: number): boolean =>
  role === 'activation' && !view && start % 4 === 0;

/** Whether who writes `t` can write it among other channels, and reads none of these: WebGPU lets no dispatch do both. */
function isWritten(nodes: Nodes, t: Tensor, within: ReadonlySet<Tensor>): boolean {
  const conv = nodes.producer(convOps.forward, 'y', t);
  const writer = conv ?? nodes.producer(maxPoolOp, 'y', t) ?? nodes.producer(avgPoolOp, 'y', t);
  if (!writer || present(writer.inputs).some((input) => within.has(input))) return false;
  return !conv || viewsOf(nodes, forwardTensors(conv)).y;
}

const viewsOf = ({ tuning }: Nodes, t: ConvTensors) =>
  convFamily(t, tuning).views?.(t, tuning) ?? { x: false, y: false };

/** Whether a node can read `t` where it is not alone, from channel `start` on. */
function readsView(nodes: Nodes, node: Node, t: Tensor, start: number): boolean {
  const names = Object.keys(node.inputs).filter((name) => node.inputs[name] === t);
  const can = readable(nodes, node);
  return names.every((name) => can.anywhere?.includes(name) || (start === 0 && can.first?.includes(name)));
}

/** Inputs of a node that may be views: any, or those that begin with their whole. */
function readable(nodes: Nodes, node: Node): { anywhere?: string[]; first?: string[] } {
  if (isNodeOf(node, batchNormOps.finishSums)) return { anywhere: ['x'] };
  const isNorm = [
    batchNormOps.statistics,
    batchNormOps.backwardSums,
    batchNormOps.backwardApply,
    partSumsOp,
  ].some((op) => node.op === op);
  if (isNorm) return { first: ['x'] };
  const tensors = convTensors(node);
  if (!tensors) return {};
  const { x, y } = viewsOf(nodes, tensors);
  return { anywhere: y ? ['yRaw'] : [], first: x ? ['x', 'xRaw'] : [] };
}

function convTensors(node: Node): ConvTensors | undefined {
  if (isNodeOf(node, convOps.forward)) return forwardTensors(node);
  if (isNodeOf(node, convOps.backwardInput)) return backwardInputTensors(node);
  return isNodeOf(node, convOps.backwardWeight) ? backwardWeightTensors(node) : undefined;
}
