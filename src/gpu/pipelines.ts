import type { Constants } from '../graph/ir';
import { Turns } from '../turns';
import { type Gpu, throwFailure } from './device';
import type { ComposedShader } from './wgsl/compose';
import type { BindingDeclaration } from './wgsl/declarations';
import { type Shaders, shaders } from './wgsl/shaders';

export interface Kernel {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
  /** those of the layout */
  bindings: BindingDeclaration[];
}

/** Compiles shaders asynchronously, those once that differ in nothing but sizes. */
export class Pipelines {
  private cache = new Map<string, Promise<Kernel>>();
  /** kernels that are being compiled */
  waiting = 0;
  private readonly turns = new Turns();

  constructor(
    private readonly gpu: Gpu,
    private readonly library: Shaders = shaders,
  ) {}

  get size(): number {
    return this.cache.size;
  }

  get(shader: string, constants: Constants, halves: readonly string[] = []): Promise<Kernel> {
    const compiled = Object.entries(this.library.compiledConstants(shader, constants)).sort();
    const key = `${shader} ${JSON.stringify([compiled, halves])}`;
    let kernel = this.cache.get(key);
    if (!kernel) {
      this.waiting++;
      kernel = this.compile(shader, constants, halves).finally(() => this.waiting--);
      this.cache.set(key, kernel);
    }
    return kernel;
  }

  private async compile(shader: string, constants: Constants, halves: readonly string[]): Promise<Kernel> {
    // a shader is parsed in this thread
    await this.turns.next();
    const { device } = this.gpu;
    const composed = this.library.compose(shader, constants, halves);
    const { code, bindings } = composed;
    // an error that no scope catches would count as the device's, without its place in the shader
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code, label: shader });
    const moduleError = device.popErrorScope();
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
      const [ready] = await Promise.all([pipeline, moduleError]);
      return { pipeline: ready, layout, bindings };
    } catch (e) {
      const message =
        (await this.firstError(composed, module)) ?? `shader ${shader}: ${(e as Error).message}`;
      return throwFailure(this.gpu, new Error(message));
    }
  }

  /** The compiler's first error, with the place on disk and the lines around it. */
  private async firstError(composed: ComposedShader, module: GPUShaderModule): Promise<string | undefined> {
    // a lost device has no compilation info either
    const info = await module.getCompilationInfo().catch(() => undefined);
    const error = info?.messages.find((m) => m.type === 'error');
    if (!error) return undefined;
    const { place, excerpt } = this.library.locate(composed, error.lineNum);
    return `${place}: ${error.message}\n${excerpt}`;
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
