/** The gradients of slices. */
import { type Graph, isNodeOf } from '../graph/graph';
import type { NodeOf } from '../graph/ir';
import { present, type Tensor } from '../graph/tensor';
import { concatOp, gatherOp, MOST_JOINED, numbered } from '../ops/channels';

type Gather = NodeOf<typeof gatherOp>;

/**
 * The gradient of a tensor that is read in slices is the sum of their gradients, each with zeros around it: a dispatch a slice,
 * which reads and writes the whole tensor. Where the slices lie side by side and make up all of it, their gradients only have
 * to be put side by side, in one dispatch.
 */
export function joinSlices(graph: Graph): void {
  for (const last of graph.nodes.filter(isPlacement)) {
    const parts = partsOf(graph, last);
    if (!parts) continue;
    const inputs = numbered(parts.map(({ inputs }) => inputs.x));
    const gone = new Set(parts.filter((part) => part !== last));
    Object.assign(last, { op: concatOp, inputs, attrs: { skip: 0 } });
    graph.nodes = graph.nodes.filter((node) => !gone.has(node as Gather));
  }
}

/** Whether a node moves channels and nothing else. */
export const isPlain = ({ inputs: { addend }, attrs: { down, up, from } }: Gather): boolean =>
  !addend && down === 1 && up === 1 && from === 0;

/** Whether a node reads some of a tensor's channels, and nothing beside them. */
export const isSlice = (node: Gather): boolean =>
  isPlain(node) &&
  node.attrs.groups === 1 &&
  node.attrs.offset >= 0 &&
  node.outputs.y.shape[3] < node.inputs.x.shape[3] &&
  node.attrs.offset + node.outputs.y.shape[3] <= node.inputs.x.shape[3];

/** Whether a node puts a slice's gradient into its place among zeros. */
function isPlacement(node: Graph['nodes'][number]): node is Gather {
  if (!isNodeOf(node, gatherOp)) return false;
  const { down, up, groups, from, offset } = node.attrs;
  return down === 1 && up === 1 && groups === 1 && from === 0 && offset <= 0 && node.phase === 'backward';
}

/** The channel from which on a slice's gradient lies. */
const startOf = ({ attrs }: Gather): number => -attrs.offset;

/** The nodes that place the parts of what the last of them writes, in the order of channels; undefined where it is no such tensor. */
function partsOf(graph: Graph, last: Gather): Gather[] | undefined {
  const parts = [last];
  for (let t: Tensor | undefined = last.inputs.addend; t; t = parts[0].inputs.addend) {
    const earlier: Gather | undefined = graph.nodes
      .filter(isPlacement)
      .find(({ outputs }) => outputs.y === t);
    if (!earlier || graph.nodes.filter(({ inputs }) => present(inputs).includes(t!)).length > 1)
      return undefined;
    parts.unshift(earlier);
  }
  if (parts.length < 2 || parts.length > MOST_JOINED) return undefined;
  parts.sort((a, b) => startOf(a) - startOf(b));
  let end = 0;
  for (const part of parts) {
    if (startOf(part) !== end) return undefined;
    end += part.inputs.x.shape[3];
  }
  return end === last.outputs.y.shape[3] ? parts : undefined;
}
