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

/** Whether a device can run plans of that tuning. */
export const canRun = async ({ device }: Gpu, tuning: Tuning): Promise<boolean> =>
  !tuning.subgroups || sharesQuads(device);

/** Milliseconds that steps are run for, compilation apart. */
const BUDGET = 5000;
/** Rounds that the budget is for: of eight ways, and one more from the second on, one is left after four. */
const ROUNDS = 4;
/** Steps that a way is timed for in the first round, if they are short; twice as many in each round behind it. */
const STEPS = 4;
/** Milliseconds of a step that is timed once, without another before it that pays for what is set up late. */
const LONG = 1000;
/** Sums that a thread keeps at least: a tile of fewer is all loads. */
const LEAST_SUMS = 4;
/** Ways that are timed at least, however long a step takes. */
const FEWEST = 3;

type Change = Partial<Tuning>;

/** What may be done otherwise than in a device's own way, what promises most first. */
const CHANGES: ((t: Tuning) => Change)[] = [
  (t) => ({ sums: t.sums / 2 }),
  (t) => ({ workgroupMemory: !t.workgroupMemory }),
  (t) => ({ sums: t.sums * 2 }),
  (t) => ({ threads: t.threads * 4 }),
  (t) => ({ threads: t.threads / 4 }),
  (t) => ({ sharedSplits: t.sharedSplits === 1 ? 8 : 1 }),
];
/** One that only a device that has subgroups is asked for. */
const BY_SUBGROUPS = (t: Tuning): Change => ({ subgroups: !t.subgroups });

/** A way to cut the step: what it changes of the device's own, and the fastest step that it was seen to take. */
interface Way {
  change: Change;
  ms: number;
}

/**
 * Times the real training step as it is cut for the device and in a few other ways, by successive halving (Jamieson and
 * Talwalkar 2016): a few steps of all, then more of the better half, and so on until one is left or five seconds of steps are over. What
 * was better by itself is tried together from the second round on. Where a step takes long, fewer ways are timed. Gives all that it
 * timed, the fastest first.
 *
 * `onProgress` is called before each timing with its number and how many there will be; what it throws ends the tuning.
 */
export async function autotune(
  gpu: Gpu,
  training: Training,
  onProgress: (done: number, of: number) => void,
): Promise<TunedStep[]> {
  const step = stepGraph(training);
  const changes = (await sharesQuads(gpu.device)) ? [...CHANGES, BY_SUBGROUPS] : CHANGES;
  const own: Way = { change: {}, ms: Number.POSITIVE_INFINITY };
  const others = changes
    .map((change) => change(gpu.tuning))
    .filter(({ sums = LEAST_SUMS }) => sums >= LEAST_SUMS);
  const all = [own, ...others.map((change) => ({ change, ms: own.ms }))];
  const tuningOf = ({ change }: Way): Tuning => ({ ...gpu.tuning, ...change });
  let ways = all;
  let done = 0;
  let spent = 0;
  for (let round = 0; ways.length > 1 && spent < BUDGET; round++) {
    const limits = { steps: STEPS * 2 ** round, ms: BUDGET / ROUNDS / ways.length };
    for (let i = 0; i < ways.length; i++) {
      const later = half(ways.length) + (round === 0 ? 1 : 0);
      onProgress(++done, done + ways.length - 1 - i + timings(later));
      const timed = await timeStep(gpu, step, { ...training, tuning: tuningOf(ways[i]) }, limits);
      ways[i].ms = Math.min(ways[i].ms, timed.fastest);
      spent += timed.spent;
      // one step of the device's own way tells how many others there is time for
      if (round === 0 && i === 0) ways = ways.slice(0, Math.max(FEWEST, Math.floor(BUDGET / own.ms / 2)));
    }
    if (round === 0) all.splice(ways.length);
    ways = fastestFirst(ways).slice(0, half(ways.length));
    const together = round === 0 && combined(all, own);
    if (together) {
      all.push(together);
      ways.push(together);
    }
  }
  return fastestFirst(all.filter(({ ms }) => Number.isFinite(ms))).map((way) => ({
    tuning: tuningOf(way),
    ms: way.ms,
  }));
}

const half = (count: number): number => Math.ceil(count / 2);

/** Timings of so many ways in this round and those behind it. */
const timings = (ways: number): number => (ways > 1 ? ways + timings(half(ways)) : 0);

const fastestFirst = (ways: readonly Way[]): Way[] => [...ways].sort((a, b) => a.ms - b.ms);

/** All changes that were faster than the device's own way, together, if these are several; of two of one kind the better. */
function combined(ways: readonly Way[], own: Way): Way | undefined {
  const better = fastestFirst(ways.filter(({ ms }) => ms < own.ms)).reverse();
  const change: Change = Object.assign({}, ...better.map((way) => way.change));
  return Object.keys(change).length > 1 ? { change, ms: Number.POSITIVE_INFINITY } : undefined;
}

/** Runs steps on images of one value (no kernel's time depends on the numbers) until so many, or so many milliseconds, are over. */
async function timeStep(
  gpu: Gpu,
  step: ProgramGraph,
  { model, settings, start, tuning }: Training,
  limits: { steps: number; ms: number },
): Promise<{ fastest: number; spent: number }> {
  const train = planTraining(step, settings, { tuning });
  const session: Session<'train'> = await Session.create(gpu, { train });
  try {
    loadState(session, model, start);
    const times: number[] = [];
    let spent = 0;
    while (times.length <= limits.steps && (spent < limits.ms || (times.length === 1 && spent < LONG))) {
      const since = performance.now();
      session.run('train', { rows: settings.batch, lr: 0 });
      await session.settle();
      times.push(performance.now() - since);
      spent += times[times.length - 1];
    }
    checkGpu(gpu);
    return { fastest: Math.min(...(times.length > 1 ? times.slice(1) : times)), spent };
  } finally {
    session.destroy();
  }
}
