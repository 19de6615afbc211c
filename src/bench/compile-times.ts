import { type Gpu, requireHalves } from '../gpu/device';
import { type Kernel, pipelinesOf } from '../gpu/pipelines';
import { shaders } from '../gpu/wgsl/shaders';
import type { Constants, Plan } from '../graph/ir';

/** A kernel of a plan: a shader with the constants that are compiled into it. */
export interface KernelProfile {
  shader: string;
  constants: Constants;
  /** of the plan, that it serves */
  dispatches: number;
  /** milliseconds that it took to compile; absent where the device had it already */
  compileMs?: number;
}

/**
 * Compiles a plan's kernels one after the other, so that none waits for another, and tells what each took, dearest first: the
 * session that is made of the plan afterwards finds them there.
 */
export async function compileInTurn(gpu: Gpu, { dispatches }: Plan): Promise<KernelProfile[]> {
  if (dispatches.some(({ halves }) => halves.length > 0)) requireHalves(gpu);
  await shaders.load(dispatches.map(({ shader }) => shader));
  const pipelines = pipelinesOf(gpu);
  const kernels = new Map<Kernel, KernelProfile>();
  for (const { shader, constants, halves } of dispatches) {
    const { size } = pipelines;
    const since = performance.now();
    const kernel = await pipelines.get(shader, constants, halves);
    const compileMs = performance.now() - since;
    const isNew = pipelines.size > size;
    const known = kernels.get(kernel) ?? {
      ...{ shader, constants: shaders.compiledConstants(shader, constants), dispatches: 0 },
      ...(isNew && { compileMs }),
    };
    known.dispatches++;
    kernels.set(kernel, known);
  }
  return [...kernels.values()].sort((a, b) => (b.compileMs ?? 0) - (a.compileMs ?? 0));
}
