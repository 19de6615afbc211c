import { describe, expect, it } from 'vitest';
import {
  endsWarmup,
  learningRate,
  roundStarts,
  type Schedule,
  scaled,
  scheduleOf,
} from '../../../src/train/schedule';
import { runSettings } from '../../settings';

describe('learningRate', () => {
  it('stays constant', () => {
    expect(learningRate({ kind: 'constant', lr: 0.3 }, 1000)).toBe(0.3);
  });

  it('falls by gamma at each milestone, from the milestone on', () => {
    const schedule = { kind: 'step', lr: 1, milestones: [3, 5], gamma: 0.1 } as const;
    const rates = [2, 3, 4, 5, 9].map((step) => learningRate(schedule, step));
    [1, 0.1, 0.1, 0.01, 0.01].forEach((rate, i) => {
      expect(rates[i]).toBeCloseTo(rate, 12);
    });
  });

  const cosine = {
    kind: 'cosine',
    lr: 0.1,
    steps: 40,
    warmupSteps: 5,
    minLr: 5e-7,
    startFactor: 5e-6,
  } as const;

  it('warms up in a line, then follows half a cosine to its floor', () => {
    expect(learningRate(cosine, 0)).toBeCloseTo(5e-7, 15);
    expect(learningRate(cosine, 2)).toBeCloseTo(0.1 * (5e-6 + (1 - 5e-6) * 0.4), 12);
    expect(learningRate(cosine, 5)).toBeCloseTo(0.1, 12);
    expect(learningRate(cosine, 22)).toBeCloseTo(
      5e-7 + (0.1 - 5e-7) * 0.5 * (1 + Math.cos((Math.PI * 17) / 35)),
      12,
    );
  });

  it('stays at its floor past the end', () => {
    expect(learningRate(cosine, 40)).toBeCloseTo(5e-7, 12);
    expect(learningRate(cosine, 60)).toBeCloseTo(5e-7, 12);
  });

  it('needs no warm-up and survives a run of none but warm-up', () => {
    expect(learningRate({ ...cosine, warmupSteps: 0 }, 0)).toBeCloseTo(0.1, 12);
    expect(learningRate({ ...cosine, warmupSteps: 40 }, 40)).toBeCloseTo(0.1, 12);
  });
});

describe('scheduleOf', () => {
  const settings = { ...runSettings(), lr: 0.2, epochs: 6, warmupEpochs: 1.5 };
  const rates = (schedule: 'constant' | 'step' | 'cosine', steps: number[]) =>
    steps.map((step) => learningRate(scheduleOf({ ...settings, schedule }, 10), step));

  it('keeps the rate of a constant one', () => {
    expect(rates('constant', [0, 30, 59])).toEqual([0.2, 0.2, 0.2]);
  });

  it('falls to a tenth at half of the steps and at three quarters', () => {
    const course = rates('step', [0, 29, 30, 44, 45, 59]);
    [0.2, 0.2, 0.02, 0.02, 0.002, 0.002].forEach((rate, i) => {
      expect(course[i]).toBeCloseTo(rate, 12);
    });
  });

  it('warms up for the epochs asked for and ends at the floor with the last step', () => {
    const [start, before, top, middle, end] = rates('cosine', [0, 14, 15, 37.5, 60]);
    expect(start).toBeCloseTo(0.2 * 5e-6, 12);
    expect(before).toBeLessThan(0.2);
    expect(top).toBe(0.2);
    expect(middle).toBeCloseTo(0.1, 6);
    expect(end).toBeCloseTo(5e-7, 12);
  });

  it('needs no warm-up', () => {
    expect(scheduleOf({ ...settings, warmupEpochs: 0, schedule: 'cosine' }, 10)).toMatchObject({
      steps: 60,
      warmupSteps: 0,
    });
  });

  it('gives the head epochs of its own at the full rate, and what follows the course of a run of the others', () => {
    for (const schedule of ['constant', 'step', 'cosine'] as const) {
      const whole = scheduleOf({ ...settings, schedule, headEpochs: 2 }, 10);
      const rest = scheduleOf({ ...settings, schedule, epochs: settings.epochs - 2 }, 10);
      const steps = Array.from({ length: 60 }, (_, i) => i);
      expect(steps.map((step) => learningRate(whole, step))).toEqual([
        ...new Array(20).fill(0.2),
        ...steps.slice(20).map((step) => learningRate(rest, step - 20)),
      ]);
    }
  });
});

it('each round of refocusing has the course of a run of its own, behind a head that trains alone', () => {
  const settings = { lr: 0.1, schedule: 'cosine', epochs: 8, headEpochs: 1, warmupEpochs: 1 } as const;
  const rounds = { ...settings, method: 'refocus', rounds: 2 } as const;
  expect(roundStarts(rounds)).toEqual([4]);
  const schedule = scheduleOf(rounds, 10);
  const alone = (epochs: number) => scheduleOf({ ...rounds, rounds: 1, headEpochs: 0, epochs }, 10);
  const rates = (of: Schedule, steps: number) =>
    Array.from({ length: steps }, (_, step) => learningRate(of, step));
  expect(rates(schedule, 80)).toEqual([
    ...new Array(10).fill(0.1),
    ...rates(alone(3), 30),
    ...rates(alone(4), 40),
  ]);
  // past the end it stays at its floor
  expect(learningRate(schedule, 95)).toBe(learningRate(alone(4), 55));
  expect(rates(scaled(schedule, 3), 80)).toEqual(
    rates(schedule, 80).map((rate) => expect.closeTo(3 * rate, 12)),
  );
  const ends = Array.from({ length: 80 }, (_, step) => step).filter((step) => endsWarmup(schedule, step));
  expect(ends).toEqual([20, 50]);
  expect(roundStarts({ ...rounds, method: 'finetune' })).toEqual([]);
});
