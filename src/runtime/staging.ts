import { checkGpu, type Gpu, throwFailure } from '../gpu/device';

/** Staging buffers up to this size are kept for the next read-back: a training loop reads a few kilobytes again and again. */
const KEPT_BYTES = 2 ** 16;

/** Mappable buffers for read-backs, made when first needed and used again. */
export class Staging {
  private readonly free: GPUBuffer[] = [];

  constructor(private readonly gpu: Gpu) {}

  /** A buffer of at least `bytes` that nothing else uses; give it to `read`. */
  take(bytes: number): GPUBuffer {
    const fits = this.free.findIndex((b) => b.size >= bytes);
    if (fits >= 0) return this.free.splice(fits, 1)[0];
    return this.gpu.device.createBuffer({
      label: 'read-back',
      size: Math.max(4, bytes),
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  /** A copy of the first `bytes` once the work submitted so far has run. Throws if the device failed on the way. */
  async read(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    try {
      await buffer.mapAsync(GPUMapMode.READ);
    } catch (error) {
      await throwFailure(this.gpu, error);
    }
    checkGpu(this.gpu);
    const contents = buffer.getMappedRange().slice(0, bytes);
    buffer.unmap();
    if (buffer.size <= KEPT_BYTES) this.free.push(buffer);
    else buffer.destroy();
    return contents;
  }

  destroy(): void {
    for (const b of this.free) b.destroy();
    this.free.length = 0;
  }
}
