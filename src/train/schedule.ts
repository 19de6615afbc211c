import type { RunSettings } from './settings';

/** The course of the learning rate over the steps of a run (a step is a batch, or an epoch: the caller's choice). */
export type Schedule = ConstantSchedule | StepSchedule | CosineSchedule | HeadSchedule | ExponentialSchedule;

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

/** A constant rate for some steps, as of the head alone, then another schedule from its beginning. */
export interface HeadSchedule {
  kind: 'head';
  lr: number;
  steps: number;
  then: Exclude<Schedule, HeadSchedule>;
}

/**
 * A run's schedule over its steps: `step` falls to a tenth at half and again at three quarters of them. Epochs of the head
 * alone come first, at the full rate; what follows has the course of a run of the other epochs.
 */
export function scheduleOf(
  s: Pick<RunSettings, 'lr' | 'schedule' | 'epochs' | 'headEpochs' | 'warmupEpochs'>,
  stepsPerEpoch: number,
): Schedule {
  const { headEpochs, lr } = s;
  const then = scheduleOfAll(s, (s.epochs - headEpochs) * stepsPerEpoch, stepsPerEpoch);
  return headEpochs > 0 ? { kind: 'head', lr, steps: headEpochs * stepsPerEpoch, then } : then;
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
): HeadSchedule['then'] {
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
export function scaled(schedule: Schedule, factor: number): Schedule {
  if (schedule.kind !== 'head') return scaledAlone(schedule, factor);
  const then = scaledAlone(schedule.then, factor);
  return { ...schedule, lr: schedule.lr * factor, then };
}

function scaledAlone(schedule: HeadSchedule['then'], factor: number): HeadSchedule['then'] {
  const lr = schedule.lr * factor;
  if (schedule.kind === 'cosine') return { ...schedule, lr, minLr: schedule.minLr * factor };
  if (schedule.kind === 'exponential') return { ...schedule, lr, to: schedule.to * factor };
  return { ...schedule, lr };
}

/** The learning rate of a step, counted from 0. */
export function learningRate(schedule: Schedule, step: number): number {
  switch (schedule.kind) {
    case 'constant':
      return schedule.lr;
    case 'step':
      return schedule.lr * schedule.gamma ** schedule.milestones.filter((m) => step >= m).length;
    case 'cosine':
      return cosine(schedule, step);
    case 'exponential':
      return schedule.lr * (schedule.to / schedule.lr) ** (step / (schedule.steps - 1));
    case 'head':
      return step < schedule.steps ? schedule.lr : learningRate(schedule.then, step - schedule.steps);
  }
}

/** The step that the warm-up ends before; 0 where there is none. */
export function warmupEnd(schedule: Schedule): number {
  if (schedule.kind === 'head') return schedule.steps + warmupEnd(schedule.then);
  return schedule.kind === 'cosine' ? schedule.warmupSteps : 0;
}

function cosine({ lr, steps, warmupSteps, minLr, startFactor }: CosineSchedule, step: number): number {
  if (step < warmupSteps) return lr * (startFactor + ((1 - startFactor) * step) / warmupSteps);
  // past the end the rate stays at its floor: the cosine would rise again
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps));
  return minLr + (lr - minLr) * 0.5 * (1 + Math.cos(Math.PI * progress));
}
