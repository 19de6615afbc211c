import { checkGpu, type Gpu } from '../gpu/device';
import type { Plan, PlannedDispatch } from '../graph/ir';
import { workgroupsFor } from '../graph/workgroups';
import type { BoundDispatch } from './programs';
import { Session } from './session';
import type { StepUniform } from './step';

/** How a dispatch was timed: by the device's clock, or from its submission to its end. */
export type ProfileMethod = 'timestamps' | 'waiting';

export interface DispatchTimes {
  method: ProfileMethod;
  /** milliseconds of each dispatch of the plan, the mean over the runs */
  ms: number[];
}

/** What a device reaches in shaders that do nothing else. */
export interface DeviceRates {
  /** vec4 copy, bytes read and written, GB/s */
  gigabytes: number;
  /** multiply-adds on registers counted as two, GFLOP/s */
  gigaflops: number;
  /** milliseconds of a dispatch of one vec4 that waits for the one before it, in a long chain of such in one pass */
  dispatchMs: number;
}

/** Queries of one set: WebGPU's limit. */
const MOST_QUERIES = 4096;

/**
 * Runs a plan `runs` times with each dispatch in a pass of its own, and times the dispatches. By timestamp queries where
 * the device has them (Chrome rounds them to 0.1 ms, so short dispatches need many runs); otherwise each dispatch is
 * submitted alone and waited for, less the latency of an empty submission.
 */
export async function timeDispatches<Name extends string>(
  session: Session<Name>,
  name: Name,
  step: StepUniform = {},
  runs = 5,
): Promise<DispatchTimes> {
  const { gpu } = session;
  const dispatches = session.dispatches(name);
  const byTimestamps = gpu.device.features.has('timestamp-query');
  const sums = new Array<number>(dispatches.length).fill(0);
  for (let run = 0; run < runs; run++) {
    session.writeStep(step);
    const times = byTimestamps ? await byQueries(gpu, dispatches) : await byWaiting(gpu, dispatches);
    times.forEach((ms, i) => {
      sums[i] += ms / runs;
    });
  }
  return { method: byTimestamps ? 'timestamps' : 'waiting', ms: sums };
}

async function byQueries(gpu: Gpu, dispatches: readonly BoundDispatch[]): Promise<number[]> {
  const times: number[] = [];
  const most = MOST_QUERIES / 2;
  for (let first = 0; first < dispatches.length; first += most)
    times.push(...(await queried(gpu, dispatches.slice(first, first + most))));
  return times;
}

async function queried({ device, ...gpu }: Gpu, dispatches: readonly BoundDispatch[]): Promise<number[]> {
  const count = 2 * dispatches.length;
  const querySet = device.createQuerySet({ type: 'timestamp', count });
  const size = 8 * count;
  const resolved = device.createBuffer({
    size,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  dispatches.forEach((dispatch, i) => {
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
    encode(encoder, dispatch, { timestampWrites });
  });
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  checkGpu({ device, ...gpu });
  const nanoseconds = new BigUint64Array(staging.getMappedRange().slice(0));
  for (const resource of [querySet, resolved, staging]) resource.destroy();
  // a clock that is set back gives no time
  return dispatches.map((_, i) => Math.max(0, Number(nanoseconds[2 * i + 1] - nanoseconds[2 * i]) / 1e6));
}

async function byWaiting(gpu: Gpu, dispatches: readonly BoundDispatch[]): Promise<number[]> {
  const { queue } = gpu.device;
  const submit = async (dispatch?: BoundDispatch): Promise<number> => {
    const start = performance.now();
    const encoder = gpu.device.createCommandEncoder();
    if (dispatch) encode(encoder, dispatch, {});
    queue.submit([encoder.finish()]);
    await queue.onSubmittedWorkDone();
    return performance.now() - start;
  };
  const latency = Math.min(await submit(), await submit(), await submit());
  const times: number[] = [];
  for (const dispatch of dispatches) times.push(Math.max(0, (await submit(dispatch)) - latency));
  checkGpu(gpu);
  return times;
}

function encode(
  encoder: GPUCommandEncoder,
  { pipeline, group, workgroups }: BoundDispatch,
  descriptor: GPUComputePassDescriptor,
): void {
  const pass = encoder.beginComputePass(descriptor);
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...workgroups);
  pass.end();
}

/** Bytes of each of the two buffers of the copy: past every cache of a GPU, soon done on a CPU. */
const COPY_BYTES = { gpu: 2 ** 27, software: 2 ** 24 };
const MULTIPLY_THREADS = { gpu: 2 ** 20, software: 2 ** 13 };
const MULTIPLY_ROUNDS = 256;
/** Dispatches of the chain that tells what one costs: as many as a step has. */
const CHAIN = 256;
/** A rate is taken over at least this long. */
const RATE_MS = 50;

/** Measures what the device reaches in copying, in multiply-adds, and in dispatches that do next to nothing. */
export async function deviceRates(gpu: Gpu): Promise<DeviceRates> {
  const kind = gpu.software ? 'software' : 'gpu';
  const session = await Session.create(gpu, {
    copy: lonePlan('profile/copy', { SIZE: COPY_BYTES[kind] / 16 }, COPY_BYTES[kind], 0),
    multiply: lonePlan(
      'profile/multiply_add',
      { SIZE: MULTIPLY_THREADS[kind], ROUNDS: MULTIPLY_ROUNDS },
      MULTIPLY_THREADS[kind] * 16,
      64 * MULTIPLY_ROUNDS * MULTIPLY_THREADS[kind],
    ),
    chain: chainOf(lonePlan('profile/copy', { SIZE: 1 }, 16, 0)),
  });
  try {
    const { copy, multiply, chain } = session.plans;
    return {
      gigabytes: copy.totals.bytes / (await fastest(session, 'copy')) / 1e6,
      gigaflops: multiply.totals.flops / (await fastest(session, 'multiply')) / 1e6,
      dispatchMs: (await fastest(session, 'chain')) / chain.totals.dispatches,
    };
  } finally {
    session.destroy();
  }
}

/** A plan of one dispatch from a buffer x to a buffer y, a thread a vec4. */
function lonePlan(shader: string, constants: Record<string, number>, bytes: number, flops: number): Plan {
  const range = (buffer: string) => ({ buffer, offset: 0, bytes });
  const dispatch: PlannedDispatch = {
    shader,
    constants,
    bindings: { x: range('x'), y: range('y') },
    writes: ['y'],
    halves: [],
    workgroups: workgroupsFor(constants.SIZE),
    label: shader,
    phase: 'forward',
    flops,
    bytes: 2 * bytes,
  };
  return {
    dispatches: [dispatch],
    buffers: { x: bytes, y: bytes },
    tensors: {},
    totals: { dispatches: 1, bytes: 2 * bytes, flops, peakBytes: 2 * bytes },
  };
}

/** A plan's one dispatch again and again, each time from where it wrote to: none can begin before the last one's end. */
function chainOf({ dispatches: [dispatch], totals, ...plan }: Plan): Plan {
  const { x, y } = dispatch.bindings;
  const back = { ...dispatch, bindings: { x: y, y: x } };
  const dispatches = Array.from({ length: CHAIN }, (_, i) => (i % 2 === 0 ? dispatch : back));
  return { ...plan, dispatches, totals: { ...totals, dispatches: CHAIN } };
}

/** Milliseconds of one run, by the wall clock over as many runs as take `RATE_MS`; the best of three. */
async function fastest<Name extends string>(session: Session<Name>, name: Name): Promise<number> {
  const timed = async (runs: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < runs; i++) session.run(name);
    await session.settle();
    return performance.now() - start;
  };
  await timed(1);
  let runs = 1;
  while ((await timed(runs)) < RATE_MS) runs *= 2;
  const times = [await timed(runs), await timed(runs), await timed(runs)];
  return Math.min(...times) / runs;
}
