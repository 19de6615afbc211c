/** What a program asks of WebGPU since it was installed. */
export interface GpuCounts {
  dispatches: number;
  passes: number;
  submits: number;
  buffers: number;
  bindGroups: number;
  pipelines: number;
  shaderModules: number;
}

/**
 * Counts the calls of every WebGPU program in this realm, whoever wrote it, by wrapping the methods of WebGPU's
 * classes; for measurements and tests only. Works in browsers, and in Node once Dawn's classes are global.
 */
export class GpuCounters {
  private readonly counts: GpuCounts = {
    dispatches: 0,
    passes: 0,
    submits: 0,
    buffers: 0,
    bindGroups: 0,
    pipelines: 0,
    shaderModules: 0,
  };
  private readonly sizes = new WeakMap<GPUBuffer, number>();
  private live = 0;
  private peak = 0;

  private constructor() {
    const { counts } = this;
    this.count(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', 'dispatches');
    this.count(GPUComputePassEncoder.prototype, 'dispatchWorkgroupsIndirect', 'dispatches');
    this.count(GPUCommandEncoder.prototype, 'beginComputePass', 'passes');
    this.count(GPUQueue.prototype, 'submit', 'submits');
    this.count(GPUDevice.prototype, 'createBindGroup', 'bindGroups');
    this.count(GPUDevice.prototype, 'createComputePipeline', 'pipelines');
    this.count(GPUDevice.prototype, 'createComputePipelineAsync', 'pipelines');
    this.count(GPUDevice.prototype, 'createShaderModule', 'shaderModules');
    wrap(GPUDevice.prototype, 'createBuffer', (_device, [descriptor], buffer) => {
      counts.buffers++;
      this.sizes.set(buffer, descriptor.size);
      this.live += descriptor.size;
      this.peak = Math.max(this.peak, this.live);
    });
    wrap(GPUBuffer.prototype, 'destroy', (buffer) => {
      this.live -= this.sizes.get(buffer) ?? 0;
      this.sizes.delete(buffer);
    });
  }

  private static installed?: GpuCounters;

  /** The realm's counters, made on the first call; buffers made before do not count. */
  static install(): GpuCounters {
    GpuCounters.installed ??= new GpuCounters();
    return GpuCounters.installed;
  }

  private count<T extends object>(prototype: T, method: keyof T, counter: keyof GpuCounts): void {
    wrap(prototype, method, () => {
      this.counts[counter]++;
    });
  }

  /** The counts so far. */
  now(): GpuCounts {
    return { ...this.counts };
  }

  /** What has been counted since `now()` gave `before`. */
  since(before: GpuCounts): GpuCounts {
    const names = Object.keys(before) as (keyof GpuCounts)[];
    return Object.fromEntries(
      names.map((name) => [name, this.counts[name] - before[name]]),
    ) as unknown as GpuCounts;
  }

  /** Bytes of all buffers that live now. */
  get liveBytes(): number {
    return this.live;
  }

  /** The most bytes that lived at one time since `resetPeak`. */
  get peakBytes(): number {
    return this.peak;
  }

  resetPeak(): void {
    this.peak = this.live;
  }
}

type Method = (...args: unknown[]) => unknown;
type Arguments<F> = F extends (...args: infer A) => unknown ? A : never;
type Result<F> = F extends (...args: never[]) => infer R ? R : never;

/** Lets `after` see each call of a method, with its receiver, arguments and result. */
function wrap<T extends object, K extends keyof T>(
  prototype: T,
  method: K,
  after: (receiver: T, args: Arguments<T[K]>, result: Result<T[K]>) => void,
): void {
  const original = prototype[method] as Method;
  const value = function (this: T, ...args: unknown[]): unknown {
    const result = original.apply(this, args);
    after(this, args as Arguments<T[K]>, result as Result<T[K]>);
    return result;
  };
  Object.defineProperty(prototype, method, { value, configurable: true, writable: true });
}
