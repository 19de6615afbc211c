import { checkGpu, type Gpu } from '../gpu/device';
import { pipelinesOf } from '../gpu/pipelines';
import type { BindingDeclaration } from '../gpu/wgsl/declarations';
import { shaders } from '../gpu/wgsl/shaders';
import type { Plan, PlannedDispatch } from '../graph/ir';

/** A dispatch ready to be encoded. */
export interface BoundDispatch {
  pipeline: GPUComputePipeline;
  group: GPUBindGroup;
  workgroups: [number, number, number];
}

/** A program's dispatches, each there as soon as its kernel is compiled. */
interface Binding {
  all: Promise<BoundDispatch>[];
  /** those that are there */
  bound: (BoundDispatch | undefined)[];
}

/** Plans as programs: pipelines compiled and bind groups built, for each of them when it is first asked for. */
export class Programs<Name extends string> {
  private readonly bindings = new Map<Name, Binding>();
  /** those that are bound as a whole */
  private readonly whole = new Map<Name, BoundDispatch[]>();

  /** @param resource what a dispatch binds for a declaration of its shader's */
  constructor(
    private readonly gpu: Gpu,
    private readonly plans: Record<Name, Plan>,
    private readonly resource: (d: PlannedDispatch, declared: BindingDeclaration) => GPUBindingResource,
  ) {}

  /** A program's dispatches, in order, once all are bound. */
  of(name: Name): readonly BoundDispatch[] | undefined {
    return this.whole.get(name);
  }

  /** Settles when a program is bound. */
  async ready(name: Name): Promise<void> {
    if (this.whole.has(name)) return;
    this.whole.set(name, await Promise.all(this.bind(name).all));
    checkGpu(this.gpu);
  }

  /** A program's dispatches in order, as many at a time as are there while the rest is being compiled. */
  async *parts(name: Name): AsyncGenerator<readonly BoundDispatch[]> {
    const { all, bound } = this.bind(name);
    for (let first = 0; first < all.length; ) {
      await all[first];
      // what is compiled together goes together
      await new Promise((resolve) => setTimeout(resolve));
      const missing = bound.indexOf(undefined, first);
      const end = missing < 0 ? all.length : missing;
      yield bound.slice(first, end) as BoundDispatch[];
      first = end;
    }
    await this.ready(name);
  }

  /** Has a program compiled and bound; its kernels are asked for in the order in which it needs them. */
  private bind(name: Name): Binding {
    const known = this.bindings.get(name);
    if (known) return known;
    const { dispatches } = this.plans[name];
    const bound: Binding['bound'] = dispatches.map(() => undefined);
    const all = dispatches.map(async (dispatch, i) => {
      const one = await this.bindOne(dispatch);
      bound[i] = one;
      return one;
    });
    // of several that fail, the first is told
    for (const one of all) one.catch(() => {});
    const binding = { all, bound };
    this.bindings.set(name, binding);
    return binding;
  }

  private async bindOne(d: PlannedDispatch): Promise<BoundDispatch> {
    shaders.check(d);
    const { pipeline, layout, bindings } = await pipelinesOf(this.gpu).get(d.shader, d.constants, d.halves);
    const entries = bindings.map(
      (declared): GPUBindGroupEntry => ({ binding: declared.index, resource: this.resource(d, declared) }),
    );
    const group = this.gpu.device.createBindGroup({ label: d.label, layout, entries });
    return { pipeline, group, workgroups: d.workgroups };
  }
}
