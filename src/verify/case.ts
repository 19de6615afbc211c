import { UserError } from '../errors';
import type { Gpu } from '../gpu/device';
import { differentiate } from '../graph/autograd';
import { type CompileOptions, compile } from '../graph/compile';
import { Graph } from '../graph/graph';
import { product, type Tensor } from '../graph/tensor';
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
  private integerInputs = new Set<string>();

  constructor(private readonly c: Case) {}

  get op(): string {
    return this.c.op;
  }

  get attrs(): Record<string, unknown> {
    return this.c.attrs;
  }

  /** The names of all inputs, sorted. */
  inputNames = (): string[] => Object.keys(this.c.inputs).sort();
  shapeOf = (name: string): number[] => this.given(name).shape;
  /** An input in memory as an activation. */
  activation = (name: string): Tensor => this.input(name, activationLayout(this.shapeOf(name)));
  /** A convolution's or a linear layer's weight. */
  weight = (name: string, groups = 1): Tensor => this.input(name, weightLayout(this.shapeOf(name), groups));
  vector = (name: string): Tensor => this.input(name, vectorLayout(this.shapeOf(name)));
  /** A vector that the op may update in place. */
  state = (name: string): Tensor => this.input(name, vectorLayout(this.shapeOf(name)), 'state');
  optionalVector = (name: string): Tensor | undefined =>
    this.c.inputs[name] ? this.vector(name) : undefined;

  /** A vector of class indices below `classes`. */
  integers(name: string, classes = 2 ** 32): Tensor {
    const { data } = this.given(name);
    const indices = Uint32Array.from(data);
    if (indices.some((index, i) => index !== data[i] || index >= classes))
      throw new UserError(`in.${name} holds something else than classes from 0 to ${classes - 1}`);
    this.writes.push({ key: `input:${name}`, data: indices });
    this.integerInputs.add(name);
    return this.graph.tensor(name, [data.length], { role: 'input', dtype: 'u32' });
  }

  input(name: string, layout: Layout, role: 'input' | 'state' = 'input'): Tensor {
    const tensor = this.graph.tensor(name, engineShape(layout), { role, padded: layout.padded });
    this.inputs.set(name, { tensor, layout });
    this.writes.push({ key: `${role}:${name}`, data: pack(this.given(name).data, layout) });
    return tensor;
  }

  /** Declares the op's result `name`, an activation unless it has a layout; its upstream gradient, if any, enters here. */
  output(name: string, t: Tensor, layout?: Layout): void {
    const l = layout ?? this.resultLayout(name, t);
    this.read(`out.${name}`, t, l);
    const dout = this.c.douts[name];
    if (!dout) return;
    if (dout.data.length !== product(l.view))
      throw new UserError(`dout.${name} has another shape than out.${name}`);
    const seed = this.graph.tensor(`d ${name}`, t.shape, { role: 'input', padded: t.padded });
    this.writes.push({ key: `input:d ${name}`, data: pack(dout.data, l) });
    this.seeds.set(t, seed);
  }

  /** Declares a state tensor that the op updates in place as the result `name`. */
  updated(name: string): void {
    this.results.set(`out.${name}`, { key: `state:${name}`, layout: this.inputs.get(name)!.layout });
  }

  /** Runs everything; results by `out.<name>` and `grad.<name>`, in PyTorch's layout. */
  async run(
    gpu: Gpu,
    step: StepUniform = {},
    how: CompileOptions = { tuning: gpu.tuning },
  ): Promise<Map<string, Float32Array>> {
    for (const name of this.inputNames())
      if (!this.inputs.has(name) && !this.integerInputs.has(name))
        throw new UserError(`${this.op} has no input ${name} here, but the case holds in.${name}`);
    const wanted = Object.keys(this.c.gradients).map((name) => {
      const input = this.inputs.get(name);
      if (!input) throw new UserError(`grad.${name} belongs to no input that has a gradient`);
      return { name, ...input };
    });
    if (wanted.length > 0) {
      const gradients = differentiate(
        this.graph,
        wanted.map((w) => w.tensor),
        this.seeds,
      );
      for (const { name, tensor, layout } of wanted) {
        const gradient = gradients.get(tensor);
        if (!gradient) throw new UserError(`no gradient reaches in.${name}: is a dout missing?`);
        this.read(`grad.${name}`, gradient, layout);
      }
    }
    const session = await Session.create(gpu, { case: compile(this.graph, how) });
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

  private resultLayout(name: string, t: Tensor): Layout {
    const expected = this.c.outputs[name];
    if (!expected) throw new UserError(`out.${name} is missing`);
    const layout = activationLayout(expected.shape);
    if (engineShape(layout).join() !== t.shape.join())
      throw new UserError(`out.${name} of [${expected.shape}] is not what ${this.op} makes of these inputs`);
    return layout;
  }

  private given(name: string): Numbers {
    const numbers = this.c.inputs[name];
    if (!numbers) throw new UserError(`in.${name} is missing`);
    return numbers;
  }

  private read(name: string, t: Tensor, layout: Layout): void {
    const out = this.graph.tensor(name, t.shape, { role: 'output', padded: t.padded });
    copy(this.graph, name, t, out);
    this.results.set(name, { key: `output:${name}`, layout });
  }
}
