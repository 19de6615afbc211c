import type { Constants } from '../graph/ir';
import { type Gpu, throwFailure } from './device';
import { type Binding, compiledConstants, composeShader, declaredBindings } from './wgsl';

export interface Kernel {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
  bindings: Binding[];
}

/** Compiles shaders asynchronously, those once that differ in nothing but sizes. */
export class Pipelines {
  private cache = new Map<string, Promise<Kernel>>();

  constructor(private readonly gpu: Gpu) {}

  get size(): number {
    return this.cache.size;
  }

  get(shader: string, constants: Constants, halves: readonly string[] = []): Promise<Kernel> {
    const compiled = Object.entries(compiledConstants(shader, constants)).sort();
    const key = `${shader} ${JSON.stringify([compiled, halves])}`;
    let kernel = this.cache.get(key);
    if (!kernel) {
      kernel = this.compile(shader, constants, halves);
      this.cache.set(key, kernel);
    }
    return kernel;
  }

  private async compile(shader: string, constants: Constants, halves: readonly string[]): Promise<Kernel> {
    const { device } = this.gpu;
    const code = composeShader(shader, constants, halves);
    const bindings = declaredBindings(code);
    const module = device.createShaderModule({ code, label: shader });
    const layout = device.createBindGroupLayout({
      label: shader,
      entries: bindings.map(({ index, type }) => ({
        binding: index,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type },
      })),
    });
    const pipeline = device.createComputePipelineAsync({
      label: shader,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module },
    });
    try {
      return { pipeline: await pipeline, layout, bindings };
    } catch (e) {
      // a lost device has no compilation info either
      const info = await module.getCompilationInfo().catch(() => undefined);
      const first = info?.messages.find((m) => m.type === 'error');
      const message = first ? `line ${first.lineNum}: ${first.message}` : (e as Error).message;
      return throwFailure(this.gpu, new Error(`shader ${shader}: ${message}`));
    }
  }
}

const shared = new WeakMap<GPUDevice, Pipelines>();

/** The device's pipelines: sessions on one device share what they compile. */
export function pipelinesOf(gpu: Gpu): Pipelines {
  let pipelines = shared.get(gpu.device);
  if (!pipelines) {
    pipelines = new Pipelines(gpu);
    shared.set(gpu.device, pipelines);
  }
  return pipelines;
}
