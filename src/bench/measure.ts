import type { GpuCounters } from '../gpu/counters';
import type { Plan } from '../graph/ir';

/** A piece of work that can be repeated, in whichever library. */
export interface Job {
  /** starts the work once; a promise only where the library does not return before it waits */
  run(): void | Promise<void>;
  /** settles when all that was started has finished on the GPU, and a step's loss or the logits are read */
  wait(): Promise<void>;
  /** what to compare between libraries: the sum of |result|, the first losses or the first logits */
  value(): Promise<number | number[]>;
  /** of one call, where the library counts them */
  totals?: Pick<Plan['totals'], 'bytes' | 'flops'>;
  dispose(): void;
}

export interface Figure {
  /** median wall time of one call, to its completion */
  ms: number;
  /** per call */
  dispatches: number;
  submits: number;
  /** the most bytes of GPU buffers at one time during the case */
  peakBytes: number;
  minMs: number;
  maxMs: number;
  /** from nothing to the end of the first call: preparation and compilation, whenever a library does them, included */
  firstMs: number;
  /** median time until a call returns */
  jsMs: number;
  /** measured repetitions; 0: the first call is the figure */
  reps: number;
  /** per call */
  newBuffers: number;
  bindGroups: number;
  value: number | number[];
  /** moved at least, and floating-point operations, per call; absent where the library does not count them */
  bytes?: number;
  flops?: number;
}

/** Work whose first call takes longer than this is measured by its second call alone, */
const SLOW_MS = 20_000;
/** and longer than this by its first. */
const ONCE_MS = 120_000;
/** time for the repetitions of a case */
const BUDGET_MS = 6_000;
/** calls of short work between two waits: together they take about this long, at most eight */
const WINDOW_MS = 60;

/**
 * Measures a job: the first call, a second to warm up, then repetitions. Calls of less than `WINDOW_MS` are started
 * several at a time, so that the wait's own latency is shared; steps and inference are waited for one by one.
 * @param oneByOne each call waits
 * @param most repetitions, 9 by default; at least three where there is time
 */
export async function measure(
  prepare: () => Promise<Job>,
  counters: GpuCounters,
  { oneByOne, most = 9 }: { oneByOne: boolean; most?: number },
): Promise<Figure> {
  counters.resetPeak();
  const start = performance.now();
  const job = await prepare();
  try {
    const first = await timed(job, 1, counters);
    const firstMs = performance.now() - start;
    if (first.ms > ONCE_MS) return await figure([first], firstMs, 0, job);
    const second = await timed(job, 1, counters);
    if (first.ms > SLOW_MS) return await figure([second], firstMs, 1, job);
    const calls = oneByOne ? 1 : Math.max(1, Math.min(8, Math.floor(WINDOW_MS / second.ms)));
    const reps = repetitions(most, second.ms * calls);
    const runs: Timing[] = [];
    for (let i = 0; i < reps; i++) runs.push(await timed(job, calls, counters));
    return await figure(runs, firstMs, reps, job);
  } finally {
    job.dispose();
  }
}

/**
 * Measures several jobs that are compared, a call of each in turn: what else the machine does meets all of them alike. The most bytes
 * are those of all together, since all are there at once.
 * @param most repetitions
 */
export async function measureInTurns(
  prepares: readonly (() => Promise<Job>)[],
  counters: GpuCounters,
  most: number,
): Promise<Figure[]> {
  counters.resetPeak();
  const jobs: Job[] = [];
  try {
    const firsts: number[] = [];
    let slowest = 0;
    for (const prepare of prepares) {
      const start = performance.now();
      jobs.push(await prepare());
      await timed(jobs.at(-1)!, 1, counters);
      firsts.push(performance.now() - start);
      slowest = Math.max(slowest, (await timed(jobs.at(-1)!, 1, counters)).ms);
    }
    const reps = repetitions(most, slowest);
    const runs: Timing[][] = jobs.map(() => []);
    for (let rep = 0; rep < reps; rep++)
      for (const [i, job] of jobs.entries()) runs[i].push(await timed(job, 1, counters));
    return await Promise.all(jobs.map((job, i) => figure(runs[i], firsts[i], reps, job)));
  } finally {
    for (const job of jobs) job.dispose();
  }
}

/** Three at least, if that is not more than is wanted, else as many as there is time for. */
const repetitions = (most: number, ms: number): number =>
  Math.max(Math.min(3, most), Math.min(most, Math.floor(BUDGET_MS / ms)));

/** Milliseconds and counts of one call. */
interface Timing {
  ms: number;
  jsMs: number;
  counts: ReturnType<GpuCounters['now']>;
  peakBytes: number;
}

async function timed(job: Job, calls: number, counters: GpuCounters): Promise<Timing> {
  const before = counters.now();
  const start = performance.now();
  let js = 0;
  for (let i = 0; i < calls; i++) {
    const called = performance.now();
    await job.run();
    js += performance.now() - called;
  }
  await job.wait();
  const ms = (performance.now() - start) / calls;
  const counts = counters.since(before);
  for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] /= calls;
  return { ms, jsMs: js / calls, counts, peakBytes: counters.peakBytes };
}

async function figure(runs: Timing[], firstMs: number, reps: number, job: Job): Promise<Figure> {
  const times = runs.map((r) => r.ms);
  const { counts, peakBytes } = runs[runs.length - 1];
  return {
    ms: round(median(times)),
    dispatches: counts.dispatches,
    submits: counts.submits,
    peakBytes,
    minMs: round(Math.min(...times)),
    maxMs: round(Math.max(...times)),
    firstMs: round(firstMs),
    jsMs: round(median(runs.map((r) => r.jsMs))),
    reps,
    newBuffers: counts.buffers,
    bindGroups: counts.bindGroups,
    value: await job.value(),
    ...(job.totals && { bytes: job.totals.bytes, flops: job.totals.flops }),
  };
}

/** Microseconds are enough. */
const round = (ms: number): number => Number(ms.toFixed(3));

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
