import { evaluationOrder } from '../data/order';
import { loadState } from '../model/state';
import { Session } from '../runtime/session';
import type { Snapshot } from '../runtime/snapshot';
import { type CheckedPlan, checkedPlan, firstFailed, layoutOf } from './checked-plan';
import type { TrainingState } from './checkpoint';
import { KEPT_ARENAS } from './kept-arenas';
import { allFinite, type NonFinite } from './non-finite';
import { evaluationGraph, trainingGraph } from './programs';
import { evaluationOf, type ProgramName, stepName, stepOf } from './run-programs';
import { Stepper } from './stepper';
import type { TrainingSession } from './training-session';

/** Of a run that took those steps and cannot take more. */
export interface Failed {
  on: TrainingSession;
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
  const { on, until, goOn } = failed;
  const { session, steps, task } = on;
  const stepper = new Stepper(session, on.feeds.train, on.t, steps);
  let before = await rewind(failed, stepper);
  if (!allFinite(before)) return undefined;
  while (stepper.step < until) {
    if (!goOn()) return undefined;
    const { step, phase } = stepper;
    await on.begin(stepper);
    // a part or a round that begins has a fresh optimiser
    if (stepper.phase !== phase) before = await session.snapshot(...KEPT_ARENAS);
    const begun = stepper.phase!;
    await stepper.take();
    const [ring] = await session.read('output:metrics');
    const after = await session.snapshot(...KEPT_ARENAS);
    const { loss } = task.figures(steps.metrics(step, ring, task.sums));
    if (!Number.isFinite(loss) || !allFinite(after)) {
      session.restore(before);
      stepper.goOn(step, begun);
      return checkStep(on, stepper);
    }
    before = after;
  }
  return checkEvaluation(failed);
}

/** Puts back where the search begins. */
async function rewind({ on: { session, t }, from }: Failed, stepper: Stepper): Promise<Snapshot> {
  if (from) {
    session.restore(session.snapshotOf(from.now));
    stepper.goOn(from.step, from.phase);
  } else {
    session.clear(...KEPT_ARENAS);
    loadState(session, t.model, t.start);
  }
  return session.snapshot(...KEPT_ARENAS);
}

/** Takes the step that comes next with checks. */
async function checkStep(on: TrainingSession, stepper: Stepper): Promise<NonFinite | undefined> {
  const { session, steps, build } = on;
  const { part } = stepper.phase!;
  const step = stepper.step + 1;
  const layout = layoutOf(Object.values(session.plans));
  const checked = new Map<ProgramName, CheckedPlan>();
  for (const piece of steps.at(stepper.step).micro) {
    const name = stepName(build, part, piece);
    if (checked.has(name)) continue;
    const { graph } = trainingGraph(stepOf(build, part, piece));
    checked.set(name, checkedPlan(graph, build.settings, { layout, tuning: build.tuning }));
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
  const kind = build.settings.optimizer;
  if (!layer) return undefined;
  return { step, pass: 'update', layer: layer.slice('parameter:'.length), kind };
}

/** Evaluates what a run tests, as it stands, with checks. */
async function checkEvaluation({ on, until }: Failed): Promise<NonFinite | undefined> {
  const { session, feeds, build } = on;
  if (build.settings.ema > 0) session.restore(await session.averages());
  const evaluation = evaluationOf(build);
  const { plan, checks } = checkedPlan(
    evaluationGraph(evaluation).graph,
    { storage: 'f32' },
    { layout: layoutOf(Object.values(session.plans)), tuning: build.tuning },
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
