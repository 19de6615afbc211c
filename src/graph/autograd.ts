import type { Graph } from './graph';
import type { GradientTarget, Node, Tape } from './ir';
import { present, type Tensor } from './tensor';

/** The gradients of `wanted`, and of all between, from those of some outputs; adds the nodes of the backward pass. */
export const differentiate = (
  graph: Graph,
  wanted: Iterable<Tensor>,
  seeds: Iterable<[Tensor, Tensor]>,
): Map<Tensor, Tensor> => new GradientTape(graph, wanted).run(seeds);

/**
 * Reverse-mode differentiation over the graph. Each contribution to a gradient writes a new tensor: the first assigns,
 * a later one adds the earlier one as it writes. So there are no zero fills and no tensor is written twice.
 */
class GradientTape implements Tape {
  private gradients = new Map<Tensor, Tensor>();
  private needed = new Set<Tensor>();

  constructor(
    readonly graph: Graph,
    /** tensors to differentiate with respect to: trainable parameters, and inputs where asked */
    wanted: Iterable<Tensor>,
  ) {
    for (const t of wanted) this.needed.add(t);
    for (const node of graph.nodes) {
      if (this.reaches(node)) for (const t of present(node.outputs)) this.needed.add(t);
    }
  }

  /** Whether a gradient with respect to `t` is wanted, directly or on the way. */
  needs(t: Tensor | undefined): t is Tensor {
    return t !== undefined && this.needed.has(t);
  }

  gradient(t: Tensor): Tensor | undefined {
    return this.gradients.get(t);
  }

  /** Contributes a gradient that a node computes: `emit` adds the node that writes `target.out`. */
  contribute(t: Tensor, emit: (target: GradientTarget) => void): void {
    if (!this.needs(t)) return;
    const addend = this.gradients.get(t);
    const parameter = t.role === 'parameter' ? t : t.gradientOf;
    if (parameter && addend)
      throw new Error(`parameter ${parameter.name} is used twice: give each use its own node`);
    const out = parameter
      ? this.graph.gradientOf(parameter)
      : this.graph.tensor(`d(${t.name})`, t.shape, { padded: t.padded });
    emit({ out, addend });
    this.gradients.set(t, out);
  }

  /** Contributes `dy` itself (the gradient of an addition). No copy unless there is an earlier contribution. */
  pass(t: Tensor, dy: Tensor, add: (a: Tensor, b: Tensor, out: Tensor) => void): void {
    if (!this.needs(t)) return;
    const earlier = this.gradients.get(t);
    if (!earlier) this.gradients.set(t, dy);
    else this.contribute(t, ({ out }) => add(earlier, dy, out));
  }

  /** Runs the tape backwards from the given gradients of outputs. */
  run(seeds: Iterable<[Tensor, Tensor]>): Map<Tensor, Tensor> {
    for (const [t, dt] of seeds) this.gradients.set(t, dt);
    const forward: Node[] = [...this.graph.nodes];
    this.graph.phase = 'backward';
    for (const node of forward.reverse()) {
      if (!node.op.backward || !present(node.outputs).some((t) => this.gradients.has(t))) continue;
      if (this.reaches(node)) node.op.backward(node, this);
    }
    return this.gradients;
  }

  /** Whether a gradient is wanted with respect to something that the node reads. */
  private reaches(node: Node): boolean {
    return present(node.inputs).some((t) => this.needed.has(t));
  }
}
