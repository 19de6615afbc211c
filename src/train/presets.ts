import { UserError } from '../errors';
import type { TrainSettings } from './settings';

/** Settings that belong together; a run may change any of them. */
export interface Preset {
  label: string;
  help: string;
  settings: Partial<TrainSettings>;
}

/** Every preset by its name; the form and the command line read them from here. docs/method.md explains the values. */
export const presets: Readonly<Record<string, Preset>> = {
  reference: {
    label: "RefConv's own recipe",
    help: 'maps from a Kaiming start on every spatial convolution; SGD at 0.1, five epochs of warm-up, then a fresh optimiser and a cosine',
    settings: {
      method: 'refocus',
      epochs: 105,
      lr: 0.1,
      optimizer: 'sgd',
      momentum: 0.9,
      nesterov: false,
      weightDecay: 4e-5,
      schedule: 'cosine',
      warmupEpochs: 5,
      freshOptimizer: true,
      layers: 'spatial',
      mapKernel: 3,
      mapInit: 'kaiming',
      identity: true,
    },
  },
};

/**
 * The settings of a preset.
 * @throws UserError where there is none of that name
 */
export function presetSettings(name: string, label = 'preset'): Partial<TrainSettings> {
  if (Object.hasOwn(presets, name)) return structuredClone(presets[name].settings);
  throw new UserError(
    `${label} must be one of ${Object.keys(presets).join(', ')}, not "${name.slice(0, 40)}".`,
  );
}
