import { expect, test } from 'vitest';
import { presetSettings, presets } from '../../../src/train/presets';
import { endsWarmup, learningRate, scheduleOf } from '../../../src/train/schedule';
import { parseSettings } from '../../../src/train/settings';
import { runSettings } from '../../settings';

test.each(Object.keys(presets))('the settings of %s go together', (name) => {
  const settings = presetSettings(name);
  expect(parseSettings(settings)).toMatchObject(settings);
});

test('the reference warms up for five epochs from 5e-6 of the rate, and ends at 5e-7', () => {
  const settings = { ...runSettings(), ...presetSettings('reference'), headEpochs: 0 } as Parameters<
    typeof scheduleOf
  >[0];
  const schedule = scheduleOf(settings, 10);
  expect(learningRate(schedule, 0)).toBeCloseTo(0.1 * 5e-6, 12);
  expect(learningRate(schedule, 25)).toBeCloseTo(0.05, 4);
  expect(learningRate(schedule, 50)).toBeCloseTo(0.1, 6);
  const ends = (of: typeof schedule) =>
    Array.from({ length: 100 }, (_, step) => step).filter((step) => endsWarmup(of, step));
  expect(ends(schedule)).toEqual([50]);
  expect(ends(scheduleOf({ ...settings, headEpochs: 2 }, 10))).toEqual([70]);
  expect(learningRate(schedule, 550)).toBeCloseTo(0.05, 4);
  expect(learningRate(schedule, 1050)).toBeCloseTo(5e-7, 12);
});

test('a name that is none is refused with those that are', () => {
  expect(() => presetSettings('toString', '--preset')).toThrow(
    '--preset must be one of quick, fair, small, reference, not "toString".',
  );
});
