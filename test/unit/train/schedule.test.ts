import { describe, expect, it } from 'vitest';
import { learningRate } from '../../../src/train/schedule';

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
