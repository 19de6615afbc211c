import { type Graph, isNodeOf } from '../graph/graph';
import type { Node, Op, Signature, Tensors } from '../graph/ir';
import type { Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import { convFamily } from '../ops/conv/conv2d';
import type { ConvTensors } from '../ops/conv/family';

/** The graph's nodes while rules change them, with who writes and who reads each tensor. */
export class Nodes {
  constructor(
    readonly graph: Graph,
    readonly tuning: Tuning,
  ) {}

  each<S extends Signature>(op: Op<S>, rule: (node: Node<S>) => void): void {
    for (const node of this.of(op)) rule(node);
  }

  /** The node of that op that writes `t` as its output of that name. */
  producer<S extends Signature>(op: Op<S>, output: keyof S['outputs'], t: Tensor): Node<S> | undefined {
    for (const n of this.graph.nodes) if (isNodeOf(n, op) && n.outputs[output] === t) return n;
    return undefined;
  }

  readers(t: Tensor): Node[] {
    return this.graph.nodes.filter(({ inputs }) => reads(inputs, t));
  }

  /** Makes a node one of another op, that writes the same. */
  become<S extends Signature>(
    node: Node,
    op: Op<S>,
    inputs: NoInfer<S>['inputs'],
    attrs: NoInfer<S>['attrs'],
  ): void {
    Object.assign(node, { op, inputs, attrs });
  }

  /** Puts a node in the place of a later one: it may read what is written before that. */
  replace(later: Node, node: Node): void {
    this.remove(node);
    this.graph.nodes[this.graph.nodes.indexOf(later)] = node;
  }

  remove(node: Node): void {
    this.graph.nodes.splice(this.graph.nodes.indexOf(node), 1);
  }

  private of<S extends Signature>(op: Op<S>): Node<S>[] {
    return this.graph.nodes.filter((n) => isNodeOf(n, op));
  }
}

/** Without an array of them: it is asked of every node for every tensor. */
function reads(inputs: Tensors, t: Tensor): boolean {
  for (const name in inputs) if (inputs[name] === t) return true;
  return false;
}

/** Whether a node reads `t` as its input of that name, and as no other. */
export const readsOnlyAs = (name: string, node: Node, t: Tensor): boolean =>
  Object.entries(node.inputs).every(([input, read]) => (read === t) === (input === name));

/** Whether the convolution's shaders can take batch norms in. */
export const fuses = (t: ConvTensors, { tuning }: Nodes): boolean =>
  convFamily(t, tuning).outputBlocks !== undefined;
