import { checkGpu, type Gpu } from '../gpu/device';
import { sharesQuads } from '../gpu/quads';
import type { Tuning } from '../graph/tuning';
import { loadState } from '../model/state';
import { Session } from '../runtime/session';
import { type ProgramGraph, planTraining } from '../train/programs';
import { stepGraph } from '../train/run-programs';
import type { Training } from '../train/training-session';

/** A tuning and the time of a training step cut by it, in milliseconds. */
export interface TunedStep {
  tuning: Tuning;
  ms: number;
}

/** A device and a step on it: what a remembered tuning holds for. */
export function tuningKey(gpu: Gpu, training: Training): string {
  const { dispatches, flops } = planTraining(stepGraph(training), training.settings, {
    tuning: gpu.tuning,
  }).totals;
  return `${gpu.name}, ${dispatches} dispatches, ${flops} flops, ${training.settings.storage}`;
}

/** Steps timed for each way, the fastest of which counts. */
const STEPS = 3;

/** Whether a device can run plans of that tuning. */
export const canRun = async ({ device }: Gpu, tuning: Tuning): Promise<boolean> =>
  !tuning.subgroups || sharesQuads(device);

/** Ways to cut the work beside one, each list beside the fastest so far. */
const NEIGHBOURS: ((t: Tuning) => Tuning[])[] = [
  (t) => [t.sums / 2, t.sums * 2].map((sums) => ({ ...t, sums })),
  (t) => [t.threads / 4, t.threads * 4].map((threads) => ({ ...t, threads })),
  (t) => [{ ...t, sharedSplits: t.sharedSplits === 1 ? 8 : 1 }],
  (t) => [{ ...t, workgroupMemory: !t.workgroupMemory }],
  (t) => [{ ...t, subgroups: !t.subgroups }],
];

/**
 * Times the real training step as it is cut for the device, and in a few other ways: first larger and smaller tiles, then
 * the best of these with more and with fewer threads, then with and without workgroup memory, then with and without
 * subgroups, which only a device that has them is asked for. Gives all that it timed, the fastest first.
 */
export async function autotune(
  gpu: Gpu,
  training: Training,
  onProgress: (done: number, of: number) => void,
): Promise<TunedStep[]> {
  const neighbours = (await sharesQuads(gpu.device)) ? NEIGHBOURS : NEIGHBOURS.slice(0, -1);
  const of = 1 + neighbours.flatMap((beside) => beside(gpu.tuning)).length;
  const step = stepGraph(training);
  const timed: TunedStep[] = [];
  const time = async (tuning: Tuning) => {
    onProgress(timed.length + 1, of);
    timed.push({ tuning, ms: await timeStep(gpu, step, { ...training, tuning }) });
    timed.sort((a, b) => a.ms - b.ms);
  };
  await time(gpu.tuning);
  for (const beside of neighbours) for (const tuning of beside(timed[0].tuning)) await time(tuning);
  return timed;
}

/** Milliseconds of a step on images of one value: no kernel's time depends on the numbers. */
async function timeStep(
  gpu: Gpu,
  step: ProgramGraph,
  { model, settings, start, tuning }: Training,
): Promise<number> {
  const train = planTraining(step, settings, { tuning });
  const session: Session<'train'> = await Session.create(gpu, { train });
  try {
    loadState(session, model, start);
    const times: number[] = [];
    for (let i = 0; i <= STEPS; i++) {
      const since = performance.now();
      session.run('train', { rows: settings.batch, lr: 0 });
      await session.settle();
      times.push(performance.now() - since);
    }
    checkGpu(gpu);
    // the first run pays for what is set up late
    return Math.min(...times.slice(1));
  } finally {
    session.destroy();
  }
}
