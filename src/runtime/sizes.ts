import type { Gpu } from '../gpu/device';
import { shaders } from '../gpu/wgsl/shaders';
import type { PlannedDispatch } from '../graph/ir';

/** The sizes of a session's dispatches in one uniform buffer, equal ones once; written once and never again. */
export class SizesBuffer {
  private readonly buffer: GPUBuffer;
  private readonly offsets = new Map<string, number>();

  constructor({ device }: Gpu, dispatches: readonly PlannedDispatch[]) {
    const alignment = device.limits.minUniformBufferOffsetAlignment;
    const parts: { at: number; data: Uint32Array }[] = [];
    let end = 0;
    for (const { shader, constants } of dispatches) {
      const data = shaders.packSizes(shader, constants);
      const key = data.join();
      if (data.length === 0 || this.offsets.has(key)) continue;
      this.offsets.set(key, end);
      parts.push({ at: end, data });
      end = Math.ceil((end + data.byteLength) / alignment) * alignment;
    }
    this.buffer = device.createBuffer({
      label: 'sizes',
      size: Math.max(end, alignment),
      usage: GPUBufferUsage.UNIFORM,
      mappedAtCreation: true,
    });
    const contents = this.buffer.getMappedRange();
    for (const { at, data } of parts) new Uint32Array(contents, at, data.length).set(data);
    this.buffer.unmap();
  }

  /** Where a dispatch's sizes lie. */
  binding({ shader, constants }: PlannedDispatch): GPUBufferBinding {
    const data = shaders.packSizes(shader, constants);
    return { buffer: this.buffer, offset: this.offsets.get(data.join())!, size: data.byteLength };
  }

  destroy(): void {
    this.buffer.destroy();
  }
}
