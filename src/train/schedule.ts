import type { RunSettings } from './settings';

/** The course of the learning rate over the steps of a run (a step is a batch, or an epoch: the caller's choice). */
export type Schedule = Course | RoundsSchedule | HeadSchedule;

/** A schedule that is of no others. */
export type Course = ConstantSchedule | StepSchedule | CosineSchedule | ExponentialSchedule;

export interface ConstantSchedule {
  kind: 'constant';
  lr: number;
}

/** torch.optim.lr_scheduler.MultiStepLR: the rate is multiplied by gamma at each milestone. */
export interface StepSchedule {
  kind: 'step';
  lr: number;
  /** the steps from which on another gamma applies */
  milestones: readonly number[];
  gamma: number;
}

/**
 * RefConv's: linear warm-up from `startFactor * lr` to `lr` over `warmupSteps`, then half a cosine down to `minLr` at
 * the end of `steps`.
 */
export interface CosineSchedule {
  kind: 'cosine';
  lr: number;
  steps: number;
  warmupSteps: number;
  minLr: number;
  startFactor: number;
}

/** From `lr` to `to` in so many steps, by equal factors: a search for a learning rate. */
export interface ExponentialSchedule {
  kind: 'exponential';
  lr: number;
  to: number;
  steps: number;
}

/** Rounds of refocusing, each with the course of a run of its own. */
export interface RoundsSchedule {
  kind: 'rounds';
  lr: number;
  rounds: readonly { steps: number; course: Course }[];
}

/** A constant rate for some steps, as of the head alone, then another schedule from its beginning. */
export interface HeadSchedule {
  kind: 'head';
  lr: number;
  steps: number;
  then: Course | RoundsSchedule;
}

/**
 * A run's schedule over its steps: `step` falls to a tenth at half and again at three quarters of them. Epochs of the head
 * alone come first, at the full rate; what follows has the course of a run of the other epochs.
 */
export function scheduleOf(
  s: Pick<RunSettings, 'lr' | 'schedule' | 'epochs' | 'headEpochs' | 'warmupEpochs' | 'method' | 'rounds'>,
  stepsPerEpoch: number,
): Schedule {
  const { headEpochs, lr, epochs } = s;
  const starts = [headEpochs, ...roundStarts(s), epochs];
  const rounds = starts.slice(1).map((end, i) => {
    const steps = (end - starts[i]) * stepsPerEpoch;
    return { steps, course: scheduleOfAll(s, steps, stepsPerEpoch) };
  });
  const then: HeadSchedule['then'] = rounds.length > 1 ? { kind: 'rounds', lr, rounds } : rounds[0].course;
  return headEpochs > 0 ? { kind: 'head', lr, steps: headEpochs * stepsPerEpoch, then } : then;
}

/** The epochs, counted from 0, that rounds of refocusing behind the first begin with. */
export function roundStarts({
  method,
  rounds,
  epochs,
  headEpochs,
}: Pick<RunSettings, 'method' | 'rounds' | 'epochs' | 'headEpochs'>): number[] {
  const more = method === 'refocus' && rounds > 1 ? rounds - 1 : 0;
  return Array.from(
    { length: more },
    (_, i) => headEpochs + Math.floor(((i + 1) * (epochs - headEpochs)) / rounds),
  );
}

/** How a run goes on to more epochs than it was to have, see `extendedSchedule`. */
export const extensions = ['stretch', 'restart'] as const;
export type Extension = (typeof extensions)[number];

/**
 * The schedule of a run that has taken some steps and goes on to more epochs. `stretch`: that of a run which was to have them
 * from the start. `restart`: from the highest rate again, without warm-up, over the steps that are left.
 */
export function extendedSchedule(
  s: Parameters<typeof scheduleOf>[0],
  stepsPerEpoch: number,
  { step, how }: { step: number; how: Extension },
): Schedule {
  const { lr, epochs, headEpochs } = s;
  if (how === 'stretch' || step <= headEpochs * stepsPerEpoch) return scheduleOf(s, stepsPerEpoch);
  const then = scheduleOfAll({ ...s, warmupEpochs: 0 }, epochs * stepsPerEpoch - step, stepsPerEpoch);
  return { kind: 'head', lr, steps: step, then };
}

function scheduleOfAll(
  s: Pick<RunSettings, 'lr' | 'schedule' | 'warmupEpochs'>,
  steps: number,
  stepsPerEpoch: number,
): Course {
  const { lr } = s;
  switch (s.schedule) {
    case 'constant':
      return { kind: 'constant', lr };
    case 'step':
      return {
        kind: 'step',
        lr,
        milestones: [Math.round(steps / 2), Math.round((steps * 3) / 4)],
        gamma: 0.1,
      };
    case 'cosine': {
      const warmupSteps = Math.round(s.warmupEpochs * stepsPerEpoch);
      return { kind: 'cosine', lr, steps, warmupSteps, minLr: 5e-7, startFactor: 5e-6 };
    }
  }
}

/** The same course at rates that are `factor` times as high. */
export function scaled<S extends Schedule>(schedule: S, factor: number): S {
  const s: Schedule = schedule;
  const lr = s.lr * factor;
  switch (s.kind) {
    case 'head': {
      const then = scaled(s.then, factor);
      return { ...schedule, lr, then };
    }
    case 'rounds':
      return {
        ...schedule,
        lr,
        rounds: s.rounds.map(({ steps, course }) => ({ steps, course: scaled(course, factor) })),
      };
    case 'cosine':
      return { ...schedule, lr, minLr: s.minLr * factor };
    case 'exponential':
      return { ...schedule, lr, to: s.to * factor };
    default:
      return { ...schedule, lr };
  }
}

/** The course that a step is of, with its place in it; nothing of a head that trains alone. */
function courseAt(schedule: Schedule, step: number): { course: Course; at: number } | undefined {
  switch (schedule.kind) {
    case 'head':
      return step < schedule.steps ? undefined : courseAt(schedule.then, step - schedule.steps);
    case 'rounds': {
      let at = step;
      for (const { steps, course } of schedule.rounds) {
        if (at < steps || course === schedule.rounds.at(-1)!.course) return { course, at };
        at -= steps;
      }
      return undefined;
    }
    default:
      return { course: schedule, at: step };
  }
}

/** The learning rate of a step, counted from 0. */
export function learningRate(schedule: Schedule, step: number): number {
  const place = courseAt(schedule, step);
  if (!place) return schedule.lr;
  const { course, at } = place;
  switch (course.kind) {
    case 'constant':
      return course.lr;
    case 'step':
      return course.lr * course.gamma ** course.milestones.filter((m) => at >= m).length;
    case 'cosine':
      return cosine(course, at);
    case 'exponential':
      return course.lr * (course.to / course.lr) ** (at / (course.steps - 1));
  }
}

/** Whether a step is the first behind a warm-up; where there is none, the first of its course. */
export function endsWarmup(schedule: Schedule, step: number): boolean {
  const { course, at } = courseAt(schedule, step) ?? {};
  return at === (course?.kind === 'cosine' ? course.warmupSteps : 0);
}

function cosine({ lr, steps, warmupSteps, minLr, startFactor }: CosineSchedule, step: number): number {
  if (step < warmupSteps) return lr * (startFactor + ((1 - startFactor) * step) / warmupSteps);
  // past the end the rate stays at its floor: the cosine would rise again
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps));
  return minLr + (lr - minLr) * 0.5 * (1 + Math.cos(Math.PI * progress));
}
