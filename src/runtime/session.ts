import { OutOfMemory, UserError } from '../errors';
import { checkGpu, type Gpu, requireHalves } from '../gpu/device';
import { shaders } from '../gpu/wgsl/shaders';
import type { BufferRange, Plan } from '../graph/ir';
import { ARENAS, type Arena } from '../graph/memory';
import { type BoundDispatch, Programs } from './programs';
import { SizesBuffer } from './sizes';
import { Snapshot } from './snapshot';
import { Staging } from './staging';
import { packStep, STEP_BYTES, type StepUniform } from './step';

/** Submitted runs that may be unfinished at a time. */
const IN_FLIGHT = 3;

/**
 * Plans made ready to run on one device: buffers allocated, pipelines compiled, bind groups built. Plans share buffers by name:
 * arenas, inputs and outputs hold their contents from one plan to the next; slots hold nothing between runs.
 */
export class Session<Name extends string> {
  private readonly buffers = new Map<string, GPUBuffer>();
  private readonly programs: Programs<Name>;
  private readonly step: GPUBuffer;
  private readonly sizes: SizesBuffer;
  private readonly inFlight: Promise<undefined>[] = [];
  private readonly staging: Staging;
  private isDestroyed = false;

  private constructor(
    readonly gpu: Gpu,
    readonly plans: Record<Name, Plan>,
    private readonly beside?: Session<string>,
  ) {
    this.step = gpu.device.createBuffer({
      label: 'step',
      size: STEP_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.sizes = new SizesBuffer(
      gpu,
      Object.values<Plan>(plans).flatMap((plan) => plan.dispatches),
    );
    this.programs = new Programs(gpu, plans, (d, { name, type }) => {
      if (name === 'sizes') return this.sizes.binding(d);
      if (type === 'uniform') return { buffer: this.step };
      const { buffer, offset, bytes } = d.bindings[name];
      return { buffer: this.buffer(buffer), offset, size: bytes };
    });
    this.staging = new Staging(gpu);
  }

  /**
   * Allocates, compiles and binds. Throws a UserError when the device has not enough memory.
   * @param beside a session that outlives this one: what it holds by name, slots apart, is this one's too
   */
  static async create<Name extends string>(
    gpu: Gpu,
    plans: Record<Name, Plan>,
    beside?: Session<string>,
  ): Promise<Session<Name>> {
    const session = await Session.open(gpu, plans, beside);
    try {
      await Promise.all((Object.keys(plans) as Name[]).map((name) => session.ready(name)));
      return session;
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  /** Allocates, and leaves each program to be compiled when it is first asked for, by `ready` or `runAsCompiled`. */
  static async open<Name extends string>(
    gpu: Gpu,
    plans: Record<Name, Plan>,
    beside?: Session<string>,
  ): Promise<Session<Name>> {
    const dispatches = Object.values<Plan>(plans).flatMap((plan) => plan.dispatches);
    if (dispatches.some((d) => d.halves.length > 0)) requireHalves(gpu);
    await shaders.load(dispatches.map(({ shader }) => shader));
    const session = new Session(gpu, plans, beside);
    try {
      await session.allocate();
      checkGpu(gpu);
      return session;
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  private async allocate(): Promise<void> {
    const { device } = this.gpu;
    const sizes = new Map<string, number>();
    for (const plan of Object.values<Plan>(this.plans)) {
      for (const [name, bytes] of Object.entries(plan.buffers))
        if (!this.shared(name)) sizes.set(name, Math.max(sizes.get(name) ?? 0, bytes));
    }
    const most = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
    for (const [name, size] of sizes) {
      // arenas are bound in parts, all else whole
      if (size <= ((ARENAS as readonly string[]).includes(name) ? device.limits.maxBufferSize : most))
        continue;
      const message = `The buffer "${name}" needs ${Math.ceil(size / 1e6)} MB, but this GPU gives a buffer at most ${Math.floor(most / 1e6)} MB: use fewer or smaller images, or a smaller batch.`;
      // what passes between dispatches grows with the batch, what persists does not
      throw name.startsWith('slot ') ? new OutOfMemory(message, most / size) : new UserError(message);
    }
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    for (const [name, size] of sizes) this.makeBuffer(name, size);
    const errors = [await device.popErrorScope(), await device.popErrorScope()].filter((e) => e !== null);
    if (errors.length === 0) return;
    const total = [...sizes.values()].reduce((a, b) => a + b, 0);
    throw new OutOfMemory(
      `The GPU could not give ${Math.ceil(total / 1e6)} MB (${errors[0].message}): choose a smaller batch or smaller images.`,
      0.5,
      true,
    );
  }

  private makeBuffer(label: string, size: number): void {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    this.buffers.set(label, this.gpu.device.createBuffer({ label, size, usage }));
  }

  /** Settles when a program is compiled and bound. */
  ready(name: Name): Promise<void> {
    return this.programs.ready(name);
  }

  private buffer(name: string): GPUBuffer {
    const buffer = this.buffers.get(name) ?? this.shared(name);
    if (!buffer) throw new Error(`no buffer ${name}`);
    return buffer;
  }

  /** A buffer of the session beside this one; slots hold nothing that could be shared. */
  private shared(name: string): GPUBuffer | undefined {
    return name.startsWith('slot ') ? undefined : this.beside?.buffers.get(name);
  }

  /** Encodes and submits one run of a plan: one uniform write, one pass, one submit. */
  run(name: Name, step: StepUniform = {}): void {
    const encoder = this.encode(name, step);
    this.gpu.device.queue.submit([encoder.finish()]);
  }

  /**
   * The same of a program that may not be compiled yet: what is there already runs while the rest is being compiled, a submit for
   * each part. Throws where the session is destroyed meanwhile.
   */
  async runAsCompiled(name: Name, step: StepUniform = {}): Promise<void> {
    if (this.programs.of(name)) return this.run(name, step);
    this.writeStep(step);
    for await (const part of this.programs.parts(name)) {
      if (this.isDestroyed) throw new Error('the session was destroyed while its kernels were compiled');
      this.gpu.device.queue.submit([this.encodeDispatches(part).finish()]);
    }
  }

  /** The same with the read-back of persistent tensors, still one submit. */
  runAndRead(name: Name, step: StepUniform, ...tensors: string[]): Promise<Float32Array<ArrayBuffer>[]> {
    return this.submitAndRead(
      this.encode(name, step),
      tensors.map((t) => this.range(t)),
    );
  }

  private encode(name: Name, step: StepUniform): GPUCommandEncoder {
    this.writeStep(step);
    return this.encodeDispatches(this.dispatches(name));
  }

  private encodeDispatches(dispatches: readonly BoundDispatch[]): GPUCommandEncoder {
    const encoder = this.gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    let last: GPUComputePipeline | undefined;
    for (const { pipeline, group, workgroups } of dispatches) {
      if (pipeline !== last) pass.setPipeline(pipeline);
      last = pipeline;
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
    }
    pass.end();
    return encoder;
  }

  /** A plan's dispatches in order, for who encodes them in another way than `run` does. */
  dispatches(name: Name): readonly BoundDispatch[] {
    const program = this.programs.of(name);
    if (!program) throw new Error(`${name} is not compiled yet`);
    return program;
  }

  /** Writes the uniform of the next run. */
  writeStep(step: StepUniform): void {
    this.gpu.device.queue.writeBuffer(this.step, 0, packStep(step));
  }

  /** Where a persistent tensor lives, by `role:name`. */
  range(tensor: string): BufferRange {
    for (const plan of Object.values<Plan>(this.plans)) if (plan.tensors[tensor]) return plan.tensors[tensor];
    throw new Error(`no tensor ${tensor} in these plans`);
  }

  /** Writes a persistent tensor, in its layout in memory; `from`: bytes into it, a multiple of four. */
  write(tensor: string, data: ArrayBufferView<ArrayBuffer>, from = 0): void {
    const { buffer, offset, bytes } = this.range(tensor);
    if (from + data.byteLength > bytes)
      throw new Error(`${tensor}: ${data.byteLength} bytes at ${from} do not fit ${bytes}`);
    this.gpu.device.queue.writeBuffer(
      this.buffer(buffer),
      offset + from,
      data.buffer,
      data.byteOffset,
      data.byteLength,
    );
  }

  /** Reads persistent tensors after everything submitted so far has run. Throws if the device failed on the way. */
  async read(...tensors: string[]): Promise<Float32Array<ArrayBuffer>[]> {
    return this.readRanges(tensors.map((t) => this.range(t)));
  }

  /** Reads ranges of buffers through one staging buffer. */
  readRanges(ranges: BufferRange[]): Promise<Float32Array<ArrayBuffer>[]> {
    return this.submitAndRead(this.gpu.device.createCommandEncoder(), ranges);
  }

  private async submitAndRead(
    encoder: GPUCommandEncoder,
    ranges: BufferRange[],
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const size = ranges.reduce((a, r) => a + r.bytes, 0);
    const staging = this.staging.take(size);
    let at = 0;
    for (const { buffer, offset, bytes } of ranges) {
      encoder.copyBufferToBuffer(this.buffer(buffer), offset, staging, at, bytes);
      at += bytes;
    }
    this.gpu.device.queue.submit([encoder.finish()]);
    const all = await this.staging.read(staging, size);
    at = 0;
    return ranges.map(({ bytes }) => {
      const part = new Float32Array(all.slice(at, at + bytes));
      at += bytes;
      return part;
    });
  }

  /** The contents of whole arenas; a network without batch norm has no `state`. */
  async snapshot(...arenas: Arena[]): Promise<Snapshot> {
    const names = arenas.filter((name) => this.buffers.has(name));
    const contents = await this.readRanges(
      names.map((buffer) => ({ buffer, offset: 0, bytes: this.buffer(buffer).size })),
    );
    return new Snapshot(new Map(names.map((name, i) => [name, contents[i]])), (tensor) => this.range(tensor));
  }

  /** The averages of parameters and state, as a snapshot of these. */
  async averages(): Promise<Snapshot> {
    const { buffers } = await this.snapshot('average parameters', 'average state');
    const renamed = [...buffers].map(([name, data]) => [name.replace(/^average /, ''), data] as const);
    return new Snapshot(new Map(renamed), (tensor) => this.range(tensor));
  }

  /** Fills arenas with zeros, as far as the plans have them. */
  clear(...arenas: Arena[]): void {
    const encoder = this.gpu.device.createCommandEncoder();
    for (const name of arenas) {
      const buffer = this.buffers.get(name);
      if (buffer) encoder.clearBuffer(buffer);
    }
    this.gpu.device.queue.submit([encoder.finish()]);
  }

  /**
   * Contents of arenas as a snapshot of this session.
   * @throws UserError where they are not its own's in name and size
   */
  snapshotOf(arenas: ReadonlyMap<string, Float32Array<ArrayBuffer>>): Snapshot {
    for (const [name, { byteLength }] of arenas) {
      const bytes = this.buffers.get(name)?.size;
      if (bytes !== byteLength)
        throw new UserError(
          `The checkpoint's ${name} take ${byteLength} bytes, this network's ${bytes ?? 0}: go on with the version of Refocus that wrote it.`,
        );
    }
    return new Snapshot(arenas, (tensor) => this.range(tensor));
  }

  /** Puts a snapshot's contents back. */
  restore(snapshot: Snapshot): void {
    for (const [name, data] of snapshot.buffers)
      this.gpu.device.queue.writeBuffer(this.buffer(name), 0, data);
  }

  /** Waits until at most `IN_FLIGHT` submitted runs are unfinished, so that a queue never grows without bound. */
  async backpressure(): Promise<void> {
    const done = this.gpu.device.queue.onSubmittedWorkDone();
    // of a lost device several reject, and only the first is waited for: checkGpu tells
    done.catch(() => {});
    this.inFlight.push(done);
    while (this.inFlight.length > IN_FLIGHT) await this.inFlight.shift();
    checkGpu(this.gpu);
  }

  /** Settles when everything submitted so far has run. */
  async settle(): Promise<void> {
    await this.gpu.device.queue.onSubmittedWorkDone();
    checkGpu(this.gpu);
  }

  /** Frees every buffer of its own. */
  destroy(): void {
    this.isDestroyed = true;
    for (const b of this.buffers.values()) b.destroy();
    this.step.destroy();
    this.sizes.destroy();
    this.staging.destroy();
    this.buffers.clear();
  }
}
