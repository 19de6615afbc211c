import type { Gpu } from '../gpu/device';
import { differentiate } from '../graph/autograd';
import { compile } from '../graph/compile';
import { Graph } from '../graph/graph';
import type { Tensor } from '../graph/tensor';
import {
  activationLayout,
  engineShape,
  type Layout,
  pack,
  unpack,
  vectorLayout,
  weightLayout,
} from '../model/layout';
import { copy } from '../ops/copy';
import { Session } from '../runtime/session';
import type { StepUniform } from '../runtime/step';

/** Numbers with PyTorch's shape. */
export interface Numbers {
  shape: number[];
  data: ArrayLike<number>;
}

/** The tensors of a case by name without prefix: `in.x` is `inputs.x`. */
export interface Case {
  op: string;
  attrs: Record<string, unknown>;
  inputs: Record<string, Numbers>;
  outputs: Record<string, Numbers>;
  /** upstream gradients, by output */
  douts: Record<string, Numbers>;
  /** gradients, by input */
  gradients: Record<string, Numbers>;
}

/**
 * One op on the GPU from PyTorch's numbers to PyTorch's numbers: declares inputs with a layout, takes what the op
 * makes, differentiates for the given upstream gradients, runs, reads back.
 */
export class CaseGraph {
  readonly graph = new Graph();
  private inputs = new Map<string, { tensor: Tensor; layout: Layout }>();
  private results = new Map<string, { key: string; layout: Layout }>();
  private writes: { key: string; data: ArrayBufferView<ArrayBuffer> }[] = [];
  private seeds = new Map<Tensor, Tensor>();

  constructor(private readonly c: Case) {}

  /** An input in memory as an activation. */
  activation = (name: string): Tensor => this.input(name, activationLayout(this.c.inputs[name].shape));
  /** A convolution's or a linear layer's weight. */
  weight = (name: string, groups = 1): Tensor =>
    this.input(name, weightLayout(this.c.inputs[name].shape, groups));
  vector = (name: string): Tensor => this.input(name, vectorLayout(this.c.inputs[name].shape));
  /** A vector that the op may update in place. */
  state = (name: string): Tensor => this.input(name, vectorLayout(this.c.inputs[name].shape), 'state');
  optionalVector = (name: string): Tensor | undefined =>
    this.c.inputs[name] ? this.vector(name) : undefined;

  /** A vector of class indices. */
  integers(name: string): Tensor {
    const { data } = this.c.inputs[name];
    this.writes.push({ key: `input:${name}`, data: Uint32Array.from(data) });
    return this.graph.tensor(name, [data.length], { role: 'input', dtype: 'u32' });
  }

  input(name: string, layout: Layout, role: 'input' | 'state' = 'input'): Tensor {
    const tensor = this.graph.tensor(name, engineShape(layout), { role, padded: layout.padded });
    this.inputs.set(name, { tensor, layout });
    this.writes.push({ key: `${role}:${name}`, data: pack(this.c.inputs[name].data, layout) });
    return tensor;
  }

  /** Declares the op's result `name`; its upstream gradient, if the case has one, enters here. */
  output(name: string, t: Tensor, layout = activationLayout(this.c.outputs[name].shape)): void {
    this.read(`out.${name}`, t, layout);
    const dout = this.c.douts[name];
    if (!dout) return;
    const seed = this.graph.tensor(`d ${name}`, t.shape, { role: 'input', padded: t.padded });
    this.writes.push({ key: `input:d ${name}`, data: pack(dout.data, layout) });
    this.seeds.set(t, seed);
  }

  /** Declares a state tensor that the op updates in place as the result `name`. */
  updated(name: string): void {
    this.results.set(`out.${name}`, { key: `state:${name}`, layout: this.inputs.get(name)!.layout });
  }

  /** Runs everything; results by `out.<name>` and `grad.<name>`, in PyTorch's layout. */
  async run(gpu: Gpu, step: StepUniform = {}, tuning = gpu.tuning): Promise<Map<string, Float32Array>> {
    const wanted = Object.keys(this.c.gradients).map((name) => ({ name, ...this.inputs.get(name)! }));
    if (wanted.length > 0) {
      const gradients = differentiate(
        this.graph,
        wanted.map((w) => w.tensor),
        this.seeds,
      );
      for (const { name, tensor, layout } of wanted) {
        const gradient = gradients.get(tensor);
        if (!gradient) throw new Error(`no gradient reaches ${name}`);
        this.read(`grad.${name}`, gradient, layout);
      }
    }
    const session = await Session.create(gpu, { case: compile(this.graph, { tuning }) });
    try {
      for (const { key, data } of this.writes) session.write(key, data);
      session.run('case', { lr: 1, rows: 2 ** 31, ...step });
      const entries = [...this.results];
      const read = await session.read(...entries.map(([, r]) => r.key));
      return new Map(entries.map(([name, r], j) => [name, unpack(read[j], r.layout)]));
    } finally {
      session.destroy();
    }
  }

  private read(name: string, t: Tensor, layout: Layout): void {
    const out = this.graph.tensor(name, t.shape, { role: 'output', padded: t.padded });
    copy(this.graph, name, t, out);
    this.results.set(name, { key: `output:${name}`, layout });
  }
}
