/** The course of the learning rate, and when a run ends. */
import { choice, flag, real, whole } from '../field';
import { setting } from './setting';

export const schedule = {
  schedule: setting(choice(['constant'], ['step'], ['cosine']), 'cosine', {
    group: 'schedule',
    label: 'Schedule',
    help: 'course of the learning rate',
  }),
  warmupEpochs: setting(real({ min: 0, max: 100_000 }, 1), 0, {
    group: 'schedule',
    label: 'Warm-up epochs',
    help: 'epochs of linear warm-up (cosine)',
    onlyFor: { schedule: ['cosine'] },
  }),
  /** RefConv's own recipe has it */
  freshOptimizer: setting(flag, false, {
    group: 'schedule',
    label: 'Fresh optimiser after the warm-up',
    help: 'begin again without momentum where the warm-up ends (cosine)',
    onlyFor: { schedule: ['cosine'] },
  }),
  patience: setting(whole(0, 100_000), 0, {
    group: 'schedule',
    label: 'Patience',
    unit: 'epochs',
    help: 'stop after so many epochs without a better test accuracy; 0: never',
  }),
};
