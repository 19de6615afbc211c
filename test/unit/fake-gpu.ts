/**
 * A device that keeps buffers and copies between them but computes nothing by itself: what a test wants of a dispatch it
 * writes there. So sessions, and whatever runs on them, are tested in Node.
 */
import { DeviceLost } from '../../src/errors';
import type { Gpu } from '../../src/gpu/device';
import { type BindingDeclaration, declarationsOf } from '../../src/gpu/wgsl/declarations';
import { linesOf } from '../../src/gpu/wgsl/lines';
import { GPU_TUNING, type Tuning } from '../../src/graph/tuning';

Object.assign(globalThis, {
  GPUBufferUsage: { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 },
  GPUShaderStage: { COMPUTE: 4 },
  GPUMapMode: { READ: 1 },
});

/** A dispatch as the device sees it. */
export interface FakeDispatch {
  shader: string;
  /** the layer's name */
  label: string;
  /** the bound range of a binding by the name that the WGSL declares */
  bytes(binding: string): Uint8Array<ArrayBuffer>;
}

/** What a device makes of a run: the dispatches of passes that follow each other, with no write or copy between them. */
export type Compute = (dispatches: FakeDispatch[]) => void;

class FakeBuffer {
  readonly contents: Uint8Array<ArrayBuffer>;
  destroyed = false;

  constructor(
    readonly label: string,
    readonly size: number,
    private readonly device: FakeDevice,
  ) {
    this.contents = new Uint8Array(size);
  }

  async mapAsync(): Promise<void> {
    if (this.device.isLost) throw new Error('the device is lost');
  }
  getMappedRange = (): ArrayBuffer => this.contents.buffer;
  unmap(): void {}
  destroy(): void {
    this.destroyed = true;
  }
}

interface Bound {
  pipeline: { label: string; bindings: readonly BindingDeclaration[] };
  entries: { binding: number; resource: { buffer: FakeBuffer; offset?: number; size?: number } }[];
  label: string;
}

export class FakeDevice {
  readonly features = new Set<string>();
  readonly limits = {
    minUniformBufferOffsetAlignment: 256,
    maxBufferSize: 2 ** 30,
    maxStorageBufferBindingSize: 2 ** 30,
  };
  readonly buffers: FakeBuffer[] = [];
  isLost = false;
  lose!: () => void;
  /** settles with the loss, as WebGPU's does */
  readonly lost = new Promise<void>((resolve) => {
    this.lose = () => {
      this.isLost = true;
      resolve();
    };
  });

  /** dispatches that are submitted and not done: a run may come in parts */
  private waiting: FakeDispatch[] = [];

  constructor(private readonly compute: Compute) {}

  private work(): void {
    const dispatches = this.waiting;
    this.waiting = [];
    if (dispatches.length > 0 && !this.isLost) this.compute(dispatches);
  }

  createBuffer({ label, size }: { label: string; size: number }): FakeBuffer {
    const buffer = new FakeBuffer(label, size, this);
    this.buffers.push(buffer);
    return buffer;
  }

  readonly queue = {
    writeBuffer: (
      to: FakeBuffer,
      at: number,
      data: ArrayBuffer | ArrayBufferView,
      from = 0,
      size?: number,
    ) => {
      const bytes =
        data instanceof ArrayBuffer
          ? new Uint8Array(data, from, size)
          : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      this.work();
      if (bytes.length % 4 !== 0 || at % 4 !== 0) throw new Error('a write is in whole words');
      to.contents.set(bytes, at);
    },
    submit: (commands: (() => void)[][]) => {
      if (!this.isLost) for (const command of commands.flat()) command();
    },
    onSubmittedWorkDone: async () => {
      this.work();
      if (this.isLost) throw new Error('the device is lost');
    },
  };

  createCommandEncoder() {
    const commands: (() => void)[] = [];
    return {
      beginComputePass: () => this.pass(commands),
      copyBufferToBuffer: (from: FakeBuffer, at: number, to: FakeBuffer, toAt: number, size: number) => {
        commands.push(() => {
          this.work();
          to.contents.set(from.contents.subarray(at, at + size), toAt);
        });
      },
      clearBuffer: (buffer: FakeBuffer) => {
        commands.push(() => {
          this.work();
          buffer.contents.fill(0);
        });
      },
      finish: () => commands,
    };
  }

  private pass(commands: (() => void)[]) {
    const dispatches: FakeDispatch[] = [];
    let pipeline: Bound['pipeline'];
    let group: Bound;
    return {
      setPipeline: (p: Bound['pipeline']) => {
        pipeline = p;
      },
      setBindGroup: (_: number, g: Bound) => {
        group = g;
      },
      dispatchWorkgroups: () => dispatches.push(dispatchOf({ ...group, pipeline })),
      end: () => commands.push(() => this.waiting.push(...dispatches)),
    };
  }

  createShaderModule = (descriptor: { code: string }) => descriptor;
  createBindGroupLayout = <T>(descriptor: T): T => descriptor;
  createPipelineLayout = <T>(descriptor: T): T => descriptor;
  createBindGroup = <T>(descriptor: T): T => descriptor;
  async createComputePipelineAsync({
    label,
    compute,
  }: {
    label: string;
    compute: { module: { code: string } };
  }) {
    return { label, bindings: declarationsOf(linesOf(label, compute.module.code)).bindings };
  }
  pushErrorScope(): void {}
  async popErrorScope(): Promise<null> {
    return null;
  }
}

function dispatchOf({ pipeline, entries, label }: Bound): FakeDispatch {
  return {
    shader: pipeline.label,
    label,
    bytes(name) {
      const index = pipeline.bindings.find((b) => b.name === name)?.index;
      const entry = entries.find((e) => e.binding === index);
      if (!entry) throw new Error(`${pipeline.label} has no binding ${name}`);
      const { buffer, offset = 0, size = buffer.size } = entry.resource;
      if (offset + size > buffer.size) throw new Error(`${label}: ${name} is bound beyond its buffer`);
      return buffer.contents.subarray(offset, offset + size);
    },
  };
}

/** A fake device, and what a test does to it and sees of it. */
export interface FakeGpu extends Gpu {
  /** loses the device, as a driver's crash does */
  lose(): void;
  /** labels of the buffers that nobody has destroyed */
  leaks(): string[];
}

export function fakeGpu(compute: Compute = () => {}, tuning: Tuning = GPU_TUNING): FakeGpu {
  const device = new FakeDevice(compute);
  const failure: Gpu['failure'] = {};
  return {
    device: device as unknown as GPUDevice,
    name: 'a fake GPU',
    software: false,
    tuning,
    failure,
    lose() {
      failure.error = new DeviceLost('The GPU was lost.');
      device.lose();
    },
    leaks: () => device.buffers.filter((b) => !b.destroyed).map((b) => b.label),
  };
}
