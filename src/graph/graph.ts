import type { Node, Op, Phase } from './ir';
import { type DType, padLast, type Role, type Shape, type Tensor } from './tensor';
import { GPU_TUNING, type Tuning } from './tuning';

export interface TensorOptions {
  dtype?: DType;
  role?: Role;
  padded?: Shape;
  part?: number;
}

/** A network as a list of nodes in order of execution. Pure data; no GPU. */
export class Graph {
  nodes: Node[] = [];
  readonly tensors: Tensor[] = [];
  phase: Phase = 'forward';
  private named = new Map<string, Tensor>();

  constructor(readonly tuning: Tuning = GPU_TUNING) {}

  /** A new tensor; parameters, state, constants, inputs and outputs are unique by name. */
  tensor(name: string, shape: Shape, options: TensorOptions = {}): Tensor {
    const { dtype = 'f32', role = 'activation', padded = padLast(shape), part } = options;
    const t: Tensor = { id: this.tensors.length, name, shape, padded, dtype, role, part };
    if (role !== 'activation') {
      const key = `${role}:${name}${part ? ` ${part}` : ''}`;
      if (this.named.has(key)) throw new Error(`the graph has two ${role}s named ${name}`);
      this.named.set(key, t);
    }
    this.tensors.push(t);
    return t;
  }

  /** The persistent tensor of that role and name, if the graph has it. */
  find(role: Role, name: string): Tensor | undefined {
    return this.named.get(`${role}:${name}`);
  }

  /** The gradient of a parameter: same shape, same offset in the arena of gradients. */
  gradientOf(parameter: Tensor): Tensor {
    return (
      this.find('gradient', parameter.name) ??
      this.tensor(parameter.name, parameter.shape, { role: 'gradient', padded: parameter.padded })
    );
  }

  add<A>(op: Op, name: string, inputs: (Tensor | undefined)[], outputs: Tensor[], attrs: A): void {
    this.nodes.push({ op, name, inputs, outputs, attrs, phase: this.phase });
  }
}
