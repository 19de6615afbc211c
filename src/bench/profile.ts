import type { Gpu } from '../gpu/device';
import type { Phase } from '../graph/graph';
import type { PlannedDispatch } from '../graph/plan';
import { initialState } from '../nn/init';
import { loadState } from '../nn/state';
import { type DeviceRates, deviceRates, type ProfileMethod, timeDispatches } from '../runtime/profiler';
import { Session } from '../runtime/session';
import type { StepUniform } from '../runtime/step';
import { uploadImages } from '../train/evaluate';
import { type PlanOptions, stepProgram } from '../train/plan-summary';
import { selectCases } from './cases';
import { benchGraph } from './graphs';
import { openSession } from './jobs';
import { median } from './measure';
import { LEARNING_RATE } from './network';

/** What to profile: a benchmark case, or a training step of a network on random numbers. */
export type ProfileTarget = { kind: 'case'; name: string } | { kind: 'network'; options: PlanOptions };

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

export interface Profile {
  adapter: string;
  method: ProfileMethod;
  rates: DeviceRates;
  /** a run as it is otherwise submitted, the median */
  runMs: number;
  /** a run's dispatches one by one, together */
  dispatchMs: number;
  /** dearest first */
  shaders: ShaderProfile[];
  /** in order of execution */
  dispatches: DispatchProfile[];
}

/** Profiles a plan dispatch by dispatch. Throws a UserError on a case or network that is none. */
export async function profile(gpu: Gpu, target: ProfileTarget, runs: number): Promise<Profile> {
  const rates = await deviceRates(gpu);
  const session =
    target.kind === 'case'
      ? await openSession(gpu, benchGraph(selectCases([target.name])[0], gpu.tuning))
      : await openStep(gpu, target.options);
  try {
    const rows = target.kind === 'network' ? target.options.batch : 2 ** 31;
    const step: StepUniform = { rows, lr: LEARNING_RATE };
    const runMs = await timeRuns(session, step, runs);
    const { method, ms } = await timeDispatches(session, 'run', step, runs);
    const dispatches = session.plans.run.dispatches.map((d, i) => dispatchProfile(d, ms[i], rates));
    const dispatchMs = ms.reduce((a, b) => a + b, 0);
    return {
      adapter: gpu.name,
      method,
      rates,
      runMs,
      dispatchMs,
      shaders: byShader(dispatches, rates),
      dispatches,
    };
  } finally {
    session.destroy();
  }
}

/** A training step on random weights and images. */
async function openStep(gpu: Gpu, options: PlanOptions): Promise<Session<'run'>> {
  const { net, plan } = stepProgram(options, gpu.tuning);
  const session: Session<'run'> = await Session.create(gpu, { run: plan });
  loadState(session, net, initialState(net, 0));
  const { batch: count, size, network } = options;
  const pixels = new Uint8Array(count * size * size * 3).map((_, i) => Math.imul(i, 2654435761) >>> 24);
  const labels = new Uint16Array(count).map((_, i) => i % (network.classes ?? 10));
  uploadImages(session, 'train', {
    pixels,
    labels,
    count,
    height: size,
    width: size,
    classes: [],
    skipped: [],
  });
  return session;
}

async function timeRuns(session: Session<'run'>, step: StepUniform, runs: number): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const start = performance.now();
    session.run('run', step);
    await session.settle();
    times.push(performance.now() - start);
  }
  return median(times.slice(1));
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
