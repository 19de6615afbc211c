import type { Gpu } from '../gpu/device';
import { compile } from '../graph/compile';
import type { Plan } from '../graph/ir';
import { elements } from '../graph/tensor';
import { loadState } from '../model/state';
import { METRICS_RING } from '../ops/loss/metrics';
import { standardPasses } from '../passes/standard';
import { Session } from '../runtime/session';
import type { BenchCase } from './cases';
import { type BenchGraph, benchGraph, isNetwork, read } from './graphs';
import type { Job } from './measure';
import { LEARNING_RATE } from './network';

/** A case on our engine, ready to run. */
export async function benchJob(gpu: Gpu, c: BenchCase): Promise<Job> {
  const b = benchGraph(c);
  const session = await openSession(gpu, b);
  if (!isNetwork(c)) return kernelJob(session, () => checksum(gpu, c));
  return c.kind === 'train' ? trainJob(session, c.batch) : inferJob(session, c.batch);
}

/** The case's plan for a device. */
export const planOf = (gpu: Gpu, { graph }: BenchGraph): Plan =>
  compile(graph, { passes: standardPasses(), tuning: gpu.tuning });

/** The case's plan ready to run, its inputs written. */
export async function openSession(gpu: Gpu, b: BenchGraph, plan = planOf(gpu, b)): Promise<Session<'run'>> {
  const session: Session<'run'> = await Session.create(gpu, { run: plan });
  if (b.network) loadState(session, b.network.model, b.network.state);
  // a gradient alone does not read every input
  for (const [key, data] of b.inputs) if (session.plans.run.tensors[key]) session.write(key, data);
  return session;
}

function kernelJob(session: Session<'run'>, value: Job['value']): Job {
  return {
    run: () => session.run('run'),
    wait: () => session.settle(),
    value,
    totals: session.plans.run.totals,
    dispose: () => session.destroy(),
  };
}

/** The sums of absolute values of a kernel's results, by a plan of its own that copies them out. */
async function checksum(gpu: Gpu, c: BenchCase): Promise<number | number[]> {
  const b = benchGraph(c);
  const outputs = b.results.map((t, i) => read(b.graph, t, `result ${i}`));
  const session = await openSession(gpu, b);
  try {
    session.run('run');
    const data = await session.read(...outputs.map(({ name }) => `output:${name}`));
    const sums = data.map((d, i) =>
      d.subarray(0, elements(outputs[i])).reduce((sum, v) => sum + Math.abs(v), 0),
    );
    return sums.length === 1 ? sums[0] : sums;
  } finally {
    session.destroy();
  }
}

const round = (v: number): number => Number(v.toFixed(5));

/** Steps on one batch; the loss of each is read. */
export function trainJob(session: Session<'run'>, batch: number): Job {
  const losses: number[] = [];
  let step = 0;
  let metrics: Promise<Float32Array[]> | undefined;
  return {
    run() {
      metrics = session.runAndRead('run', { step, rows: batch, lr: LEARNING_RATE }, 'output:metrics');
    },
    async wait() {
      const [ring] = await metrics!;
      losses.push(round(ring[(step % METRICS_RING) * 4] / batch));
      step++;
    },
    value: async () => losses.slice(0, 4),
    totals: session.plans.run.totals,
    dispose: () => session.destroy(),
  };
}

function inferJob(session: Session<'run'>, batch: number): Job {
  let logits: Promise<Float32Array[]> | undefined;
  return {
    run() {
      logits = session.runAndRead('run', { rows: batch }, 'output:result');
    },
    wait: async () => void (await logits),
    value: async () => [...(await logits!)[0].subarray(0, 4)].map(round),
    totals: session.plans.run.totals,
    dispose: () => session.destroy(),
  };
}
