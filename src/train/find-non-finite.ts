import type { Feed } from '../data/feed';
import { evaluationOrder } from '../data/order';
import type { LabelledImages } from '../data/types';
import type { Tuning } from '../graph/tuning';
import type { StateDict } from '../io/tensor';
import { loadState } from '../model/state';
import { Session } from '../runtime/session';
import type { Snapshot } from '../runtime/snapshot';
import { type CheckedPlan, checkedPlan, firstFailed, layoutOf } from './checked-plan';
import { KEPT_ARENAS, type TrainingState } from './checkpoint';
import type { NonFinite } from './non-finite';
import {
  type Build,
  evaluationGraph,
  evaluationOf,
  type ProgramName,
  stepName,
  stepOf,
  trainingGraph,
} from './programs';
import type { Schedule } from './schedule';
import { Stepper } from './stepper';
import type { Steps } from './steps';
import type { Task } from './task';

/** Of a run that took those steps and cannot take more. */
export interface Failed {
  session: Session<ProgramName>;
  feeds: { train: Feed; test: Feed };
  training: Build & { train: LabelledImages; start: StateDict; schedule: Schedule; tuning?: Tuning };
  task: Task;
  steps: Steps;
  /** a state before, of finite numbers; absent: the run's start */
  from?: TrainingState;
  /** steps taken */
  until: number;
  /** looked at after every step; false ends the search */
  goOn: () => boolean;
}

/**
 * Takes the steps of a run again, from a state whose numbers were finite, up to the one where they no longer are; that one with
 * a check behind every layer, each apart. Steps repeat bit for bit, so it is the same one. It needs memory for one step beside the
 * run's own, and leaves the session's arenas as that step left them.
 * @returns nothing where the search was ended, or where layers that are computed apart stay within bounds
 */
export async function findNonFinite(failed: Failed): Promise<NonFinite | undefined> {
  const { session, training, steps, task, until, goOn } = failed;
  const stepper = new Stepper(session, failed.feeds.train, training, steps);
  let before = await rewind(failed, stepper);
  if (!allFinite(before)) return undefined;
  while (stepper.step < until) {
    if (!goOn()) return undefined;
    const { step, phase } = stepper;
    stepper.begin(Math.floor(step / steps.perEpoch) < training.settings.headEpochs ? 'head' : 'all');
    // a part that begins has a fresh optimiser
    if (stepper.phase !== phase) before = await session.snapshot(...KEPT_ARENAS);
    const begun = stepper.phase!;
    await stepper.take();
    const [ring] = await session.read('output:metrics');
    const after = await session.snapshot(...KEPT_ARENAS);
    const { loss } = task.figures(steps.metrics(step, ring, task.sums));
    if (!Number.isFinite(loss) || !allFinite(after)) {
      session.restore(before);
      stepper.goOn(step, begun);
      return checkStep(failed, stepper);
    }
    before = after;
  }
  return checkEvaluation(failed);
}

/** Whether all numbers of some arenas are. */
export const allFinite = ({ buffers }: Pick<Snapshot, 'buffers'>): boolean =>
  [...buffers.values()].every((numbers) => numbers.every(Number.isFinite));

/** Puts back where the search begins. */
async function rewind({ session, training, from }: Failed, stepper: Stepper): Promise<Snapshot> {
  if (from) {
    session.restore(session.snapshotOf(from.now));
    stepper.goOn(from.step, from.phase);
  } else {
    session.clear(...KEPT_ARENAS);
    loadState(session, training.model, training.start);
  }
  return session.snapshot(...KEPT_ARENAS);
}

/** Takes the step that comes next with checks. */
async function checkStep(
  { session, training, steps }: Failed,
  stepper: Stepper,
): Promise<NonFinite | undefined> {
  const { part } = stepper.phase!;
  const step = stepper.step + 1;
  const layout = layoutOf(Object.values(session.plans));
  const checked = new Map<ProgramName, CheckedPlan>();
  for (const piece of steps.at(stepper.step).micro) {
    const name = stepName(training, part, piece);
    if (checked.has(name)) continue;
    const { graph } = trainingGraph(stepOf(training, part, piece));
    checked.set(
      name,
      checkedPlan(graph, training.settings, { layout, tuning: training.tuning ?? session.gpu.tuning }),
    );
  }
  const plans = Object.fromEntries([...checked].map(([name, { plan }]) => [name, plan]));
  const beside = await Session.create(session.gpu, plans, session);
  try {
    let found: ReturnType<typeof firstFailed>;
    await stepper.take(async (program, uniform) => {
      const { checks } = checked.get(program)!;
      const flags = await beside.runAndRead(program, uniform, ...checks.map(({ output }) => output));
      found ??= firstFailed(checks, flags);
    });
    if (found) return { step, ...found };
  } finally {
    beside.destroy();
  }
  const after = await session.snapshot('parameters');
  const layer = Object.keys(session.plans.train.tensors).find(
    (key) => key.startsWith('parameter:') && !after.tensor(key).every(Number.isFinite),
  );
  const kind = training.settings.optimizer;
  if (!layer) return undefined;
  return { step, pass: 'update', layer: layer.slice('parameter:'.length), kind };
}

/** Evaluates what a run tests, as it stands, with checks. */
async function checkEvaluation({ session, training, feeds, until }: Failed): Promise<NonFinite | undefined> {
  if (training.settings.ema > 0) session.restore(await session.averages());
  const evaluation = evaluationOf(training);
  const { plan, checks } = checkedPlan(
    evaluationGraph(evaluation).graph,
    { storage: 'f32' },
    { layout: layoutOf(Object.values(session.plans)), tuning: training.tuning ?? session.gpu.tuning },
  );
  const beside = await Session.create(session.gpu, { evaluate: plan }, session);
  try {
    const { batch } = evaluation;
    const { count } = feeds.test;
    feeds.test.begin(evaluationOrder(count));
    for (let first = 0; first < count; first += batch) {
      const rows = Math.min(batch, count - first);
      await feeds.test.ready(first, rows);
      const outputs = checks.map(({ output }) => output);
      const flags = await beside.runAndRead('evaluate', { batchOffset: first, rows }, ...outputs);
      const found = firstFailed(checks, flags);
      if (found) return { step: until, ...found, pass: 'evaluation' };
    }
    return undefined;
  } finally {
    beside.destroy();
  }
}
