import type { BufferRange } from '../graph/ir';

/** The contents of some buffers of a session at one moment, on the host. */
export class Snapshot {
  constructor(
    readonly buffers: ReadonlyMap<string, Float32Array<ArrayBuffer>>,
    private readonly ranges: (tensor: string) => BufferRange,
  ) {}

  /** A persistent tensor, by `role:name`, in its layout in memory. */
  tensor(key: string): Float32Array<ArrayBuffer> {
    const { buffer, offset, bytes } = this.ranges(key);
    const data = this.buffers.get(buffer);
    if (!data) throw new Error(`the snapshot does not hold ${buffer}`);
    return data.subarray(offset / 4, (offset + bytes) / 4);
  }
}
