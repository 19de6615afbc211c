import type { Gpu } from '../src/gpu/device';
import { type CheckedDispatch, shaders } from '../src/gpu/wgsl/shaders';
import type { Constants } from '../src/graph/ir';
import { GPU_TUNING } from '../src/graph/tuning';
import { createModel } from '../src/model/zoo';
import { stepProgram } from '../src/run/plan-summary';
import { variedArchitectures } from './architectures';
import { runSettings } from './settings';

/** Every adapter with WebGPU's default limits has these. */
const MAX_STORAGE_BUFFERS = 8;
const MAX_THREADS = 256;

/**
 * Constants that a shader compiles with: those of its WGSL, sizes of 1, and all flags off or on. On, an optional binding
 * is there whatever it depends on.
 */
export function exampleConstants(id: string, flags: boolean): Constants {
  const { constants, sizes, bindings } = shaders.declarations(id);
  const optional = new Set(bindings.flatMap(({ condition }) => condition ?? []));
  const given = [...constants].map(([name, { type, value }]) => {
    if (type === 'bool') return [name, flags];
    return [name, flags && optional.has(name) ? 1 : Number.parseFloat(value)];
  });
  return Object.fromEntries([...[...sizes.keys()].map((name) => [name, flags ? 1 : 0]), ...given]);
}

/** What a shader breaks of the rules that hold for all: nothing, or a sentence each. Compiles it with all flags off, and on. */
export async function shaderFaults(gpu: Gpu, id: string): Promise<string[]> {
  const faults = textFaults(id, shaders.sources.get(id)!);
  for (const flags of [false, true]) {
    const constants = exampleConstants(id, flags);
    // not every device has subgroups
    if ('SUBGROUPS' in constants) constants.SUBGROUPS &&= gpu.device.features.has('subgroups');
    faults.push(...(await compileFaults(gpu, shaders.compose(id, constants).code)));
  }
  return faults;
}

/** A dispatch that reads or writes f16. */
export type HalvedDispatch = Omit<CheckedDispatch, 'bindings'>;

/** Every way in which a training step of any architecture uses f16 tensors, constants apart. */
export function halvedDispatches(): HalvedDispatch[] {
  const ways = new Map<string, HalvedDispatch>();
  for (const arch of variedArchitectures) {
    const settings = { ...runSettings(), batch: 4, storage: 'f16' as const, method: 'finetune' as const };
    for (const workgroupMemory of [false, true]) {
      const tuning = { ...GPU_TUNING, workgroupMemory };
      const { plan } = stepProgram({ model: createModel(arch), settings, height: 64, width: 64 }, tuning);
      for (const { shader, constants, halves } of plan.dispatches)
        if (halves.length > 0) ways.set(`${shader} ${halves}`, { shader, constants, halves });
    }
  }
  return [...ways.values()];
}

/** The rules that the text alone tells. */
export function textFaults(id: string, text: string): string[] {
  const faults: string[] = [];
  const header = /^(\/\/ .*\n)+/.exec(text)?.[0] ?? '';
  if (!/\w+ ?(\[.*\])? [-+*]?= .*\w/.test(header)) faults.push('no formula in a comment at its head');
  const { bindings } = shaders.declarations(id);
  const storage = bindings.filter(({ type }) => type !== 'uniform').length;
  if (storage === 0) faults.push('no storage buffer');
  if (storage > MAX_STORAGE_BUFFERS) faults.push(`${storage} storage buffers`);
  const threads = Number(/^const WG(?:: u32)? = (\d+)u;/m.exec(text)?.[1]);
  if (!text.includes('@workgroup_size(WG)') || !(threads > 0 && threads <= MAX_THREADS))
    faults.push(`${threads} threads a workgroup`);
  return faults;
}

/** Errors and warnings of the browser's compiler. */
export async function compileFaults({ device }: Gpu, code: string): Promise<string[]> {
  // a device's own report of a broken module would count as the device's failure
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const faults: string[] = [];
  await pipeline.catch((e: Error) => faults.push(e.message));
  const error = await device.popErrorScope();
  if (error) faults.push(error.message);
  const { messages } = await module.getCompilationInfo();
  return [...faults, ...messages.map((m) => `${m.type} in line ${m.lineNum}: ${m.message}`)];
}
