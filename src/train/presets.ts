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
  quick: {
    label: 'Quick try',
    help: 'one epoch over at most 512 images: shows that files and device work and how long a step takes, not what is to gain',
    settings: { epochs: 1, limit: 512 },
  },
  fair: {
    label: 'Fair comparison',
    help: 'ten whole epochs of refocusing, to be fine-tuned beside by the same images, seed and schedule; one run each is no proof, so take other seeds too',
    settings: { method: 'refocus', epochs: 10, schedule: 'cosine', patience: 0, ema: 0 },
  },
  small: {
    label: 'Small data',
    help: 'for a few hundred images: thirty epochs, softened labels, classes of unequal size balanced in the loss, and an end after eight epochs without a better test',
    settings: { epochs: 30, patience: 8, labelSmoothing: 0.1, balance: 'loss' },
  },
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
