import { UserError } from '../errors';
import type { Gpu } from '../gpu/device';
import type { Phase, Plan, PlannedDispatch } from '../graph/ir';
import {
  type DeviceRates,
  type DispatchTimes,
  deviceRates,
  type ProfileMethod,
  timeDispatches,
} from '../runtime/profiler';
import type { Session } from '../runtime/session';
import type { StepUniform } from '../runtime/step';
import type { Control } from '../train/observer';
import type { KernelProfile } from './compile-times';
import { median } from './measure';
import { openTarget, type ProfileTarget } from './profile-target';

/** Time, and what was reached in it. */
export interface Achieved {
  ms: number;
  bytes: number;
  flops: number;
  /** GB/s */
  gigabytes: number;
  /** GFLOP/s */
  gigaflops: number;
  /** the time that the device's own rates allow over the time taken: 1 is as fast as can be */
  efficiency: number;
}

export interface DispatchProfile extends Achieved {
  shader: string;
  label: string;
  phase: Phase;
}

export interface ShaderProfile extends Achieved {
  shader: string;
  dispatches: number;
  /** of the time of all dispatches, 0 to 1 */
  share: number;
}

/** Milliseconds that a step takes at least, by each of what it is made of. */
export interface LeastTimes {
  /** were they all to do nothing */
  dispatches: number;
  bytes: number;
  flops: number;
}

export interface Profile {
  /** what was profiled */
  name: string;
  adapter: string;
  method: ProfileMethod;
  /** runs that each dispatch's time is the mean of */
  runs: number;
  rates: DeviceRates;
  /** what the device's own rates allow */
  least: LeastTimes;
  /** of the plan; the peak memory without the data set */
  totals: Plan['totals'];
  /** a run as it is otherwise submitted, the median */
  runMs: number;
  /** a run's dispatches one by one, together */
  dispatchMs: number;
  /** dearest first */
  shaders: ShaderProfile[];
  /** what is compiled, the dearest to compile first */
  kernels: KernelProfile[];
  /** in order of execution */
  dispatches: DispatchProfile[];
}

/** How far a profile has come. */
export interface ProfileProgress {
  message: string;
  /** 0 to 1 */
  done: number;
}

export interface ProfileContext {
  control: Control;
  onProgress: (progress: ProfileProgress) => void;
}

/** Where the number of runs is not given: as many as take so long, within these bounds. */
const RUNS = { ms: 5000, least: 2, most: 50 };

/**
 * Profiles a plan dispatch by dispatch. Once a run has been timed, a cancelled profile is that of the runs made.
 * Throws a UserError on a case, network or file that is none, and where it is cancelled before.
 */
export async function profile(
  gpu: Gpu,
  target: ProfileTarget,
  runs: number | undefined,
  { control, onProgress }: ProfileContext,
): Promise<Profile> {
  const progress = (message: string, done: number) => {
    if (control.cancelled) throw new UserError('The profile was stopped before the step had been timed.');
    onProgress({ message, done });
  };
  progress('Measuring what the device can do', 0);
  const rates = await deviceRates(gpu);
  progress('Preparing the step', 0.1);
  const { session, name, step, kernels } = await openTarget(gpu, target);
  try {
    const { runMs, wanted } = await timeRuns(session, step, runs, progress);
    const { method, ms, made } = await timeEach(session, step, wanted, { control, progress });
    const dispatches = session.plans.run.dispatches.map((d, i) => dispatchProfile(d, ms[i], rates));
    return {
      name,
      adapter: gpu.name,
      method,
      runs: made,
      rates,
      least: leastTimes(session.plans.run.totals, rates),
      totals: session.plans.run.totals,
      runMs,
      dispatchMs: ms.reduce((a, b) => a + b, 0),
      shaders: byShader(dispatches, rates),
      kernels,
      dispatches,
    };
  } finally {
    session.destroy();
  }
}

export const leastTimes = (
  { dispatches, bytes, flops }: Omit<Plan['totals'], 'peakBytes'>,
  { dispatchMs, gigabytes, gigaflops }: DeviceRates,
): LeastTimes => ({
  dispatches: dispatches * dispatchMs,
  bytes: bytes / gigabytes / 1e6,
  flops: flops / gigaflops / 1e6,
});

type Progress = (message: string, done: number) => void;

/** The median of a run as it is otherwise submitted, the first one apart, and how many runs there are to be. */
async function timeRuns(
  session: Session<'run'>,
  step: StepUniform,
  runs: number | undefined,
  progress: Progress,
): Promise<{ runMs: number; wanted: number }> {
  const times: number[] = [];
  let wanted = runs ?? RUNS.most;
  for (let run = 0; run <= wanted; run++) {
    progress(run === 0 ? 'Running the step once' : `Timing the step: run ${run} of ${wanted}`, 0.2);
    const start = performance.now();
    session.run('run', step);
    await session.settle();
    times.push(performance.now() - start);
    if (run === 0 && runs === undefined)
      wanted = Math.min(RUNS.most, Math.max(RUNS.least, Math.round(RUNS.ms / times[0])));
  }
  return { runMs: median(times.slice(1)), wanted };
}

/** The mean of each dispatch over the runs; cancelled, over those made. */
async function timeEach(
  session: Session<'run'>,
  step: StepUniform,
  wanted: number,
  { control, progress }: { control: Control; progress: Progress },
): Promise<DispatchTimes & { made: number }> {
  const runs: DispatchTimes[] = [];
  while (runs.length < wanted && !(control.cancelled && runs.length > 0)) {
    progress(`Timing each dispatch: run ${runs.length + 1} of ${wanted}`, 0.4 + (0.6 * runs.length) / wanted);
    runs.push(await timeDispatches(session, 'run', step, 1));
  }
  const ms = runs[0].ms.map((_, i) => runs.reduce((sum, run) => sum + run.ms[i], 0) / runs.length);
  return { method: runs[0].method, ms, made: runs.length };
}

function dispatchProfile(d: PlannedDispatch, ms: number, rates: DeviceRates): DispatchProfile {
  const { shader, label, phase } = d;
  return { shader, label, phase, ...achieved(ms, d.bytes, d.flops, rates) };
}

function achieved(ms: number, bytes: number, flops: number, rates: DeviceRates): Achieved {
  // a dispatch shorter than the clock's step has no rate
  const per = (amount: number) => (ms > 0 ? amount / ms / 1e6 : 0);
  const gigabytes = per(bytes);
  const gigaflops = per(flops);
  const efficiency = Math.max(gigabytes / rates.gigabytes, gigaflops / rates.gigaflops);
  return { ms, bytes, flops, gigabytes, gigaflops, efficiency };
}

/** Sums over the dispatches of each shader, dearest first. */
export function byShader(dispatches: readonly DispatchProfile[], rates: DeviceRates): ShaderProfile[] {
  const total = dispatches.reduce((sum, d) => sum + d.ms, 0);
  return [...new Set(dispatches.map((d) => d.shader))]
    .map((shader) => {
      const own = dispatches.filter((d) => d.shader === shader);
      const sum = (of: 'ms' | 'bytes' | 'flops') => own.reduce((s, d) => s + d[of], 0);
      const ms = sum('ms');
      return {
        shader,
        dispatches: own.length,
        share: total > 0 ? ms / total : 0,
        ...achieved(ms, sum('bytes'), sum('flops'), rates),
      };
    })
    .sort((a, b) => b.ms - a.ms);
}
