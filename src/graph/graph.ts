import type { GraphBuilder, Node, Op, Phase, Signature, Tensors } from './ir';
import { padLast, type Role, type Shape, type Tensor, type TensorOptions } from './tensor';

/** Whether a node is one of that op, so that its tensors are known by name. */
export const isNodeOf = <S extends Signature>(node: Node, op: Op<S>): node is Node<S> => node.op === op;

const keyOf = (role: Role, name: string, part?: number): string => `${role}:${name}${part ? ` ${part}` : ''}`;

/** A network as a list of nodes in order of execution. Pure data; no GPU. */
export class Graph implements GraphBuilder {
  nodes: Node[] = [];
  readonly tensors: Tensor[] = [];
  /** of the nodes that are added next */
  phase: Phase = 'forward';
  private readonly named = new Map<string, Tensor>();

  tensor(name: string, shape: Shape, options: TensorOptions = {}): Tensor {
    const { dtype = 'f32', role = 'activation', padded = padLast(shape), part } = options;
    const t: Tensor = { id: this.tensors.length, name, shape, padded, dtype, role, part };
    if (role !== 'activation') {
      const key = keyOf(role, name, part);
      if (this.named.has(key)) throw new Error(`the graph has two ${role}s named ${name}`);
      this.named.set(key, t);
    }
    this.tensors.push(t);
    return t;
  }

  find(role: Role, name: string, part?: number): Tensor | undefined {
    return this.named.get(keyOf(role, name, part));
  }

  gradientOf(parameter: Tensor): Tensor {
    return (
      this.find('gradient', parameter.name) ??
      this.tensor(parameter.name, parameter.shape, { role: 'gradient', padded: parameter.padded })
    );
  }

  add<S extends Signature>(
    op: Op<S>,
    name: string,
    inputs: NoInfer<S>['inputs'],
    outputs: NoInfer<S>['outputs'],
    attrs: NoInfer<S>['attrs'],
  ): void {
    this.nodes.push({ op, name, inputs, outputs, attrs, phase: this.phase });
  }

  /** A copy whose tensors and nodes may change without a trace in this graph. */
  clone(): Graph {
    const copy = new Graph();
    const copies = new Map(this.tensors.map((t) => [t, { ...t }]));
    const copyOf = (t: Tensor) => copies.get(t)!;
    const copiesOf = (tensors: Tensors) =>
      Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, t && copyOf(t)]));
    copy.tensors.push(...copies.values());
    for (const t of copy.tensors) if (t.gradientOf) t.gradientOf = copyOf(t.gradientOf);
    for (const [key, t] of this.named) copy.named.set(key, copyOf(t));
    copy.nodes = this.nodes.map((node) => ({
      ...node,
      inputs: copiesOf(node.inputs),
      outputs: copiesOf(node.outputs),
      attrs: { ...node.attrs },
    }));
    copy.phase = this.phase;
    return copy;
  }
}
