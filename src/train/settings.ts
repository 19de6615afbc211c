/** The settings of a training run: one schema for the page's form, its URL, a config file and the command line. */
import * as v from 'valibot';
import { UserError } from '../errors';

export type Method = 'refocus' | 'finetune' | 'retrain' | 'joint';

export interface TrainSettings {
  method: Method;
  epochs: number;
  batch: number;
  lr: number;
  seed: number;
  optimizer: 'sgd' | 'adamw';
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
  labelSmoothing: number;
  /** maximum norm of the whole gradient; 0: no clipping */
  clipNorm: number;
  schedule: 'constant' | 'step' | 'cosine';
  /** epochs of linear warm-up (cosine) */
  warmupEpochs: number;
  /** RefConv: which convolutions get a map; `auto` is depthwise where the network has any, else spatial */
  layers: 'auto' | 'depthwise' | 'spatial' | string[];
  /** map kernel k (1, 3 or 5); never above the kernel it refocuses */
  mapKernel: 1 | 3 | 5;
  mapInit: 'zeros' | 'kaiming';
  /** the first term of equation 1; off only as an ablation */
  identity: boolean;
  /** `auto` takes the exact factored form where it holds */
  path: 'auto' | 'dense' | 'factored';
  /** random crop with this padding in pixels, and horizontal flip */
  cropPadding: number;
  flip: boolean;
  mean: [number, number, number];
  std: [number, number, number];
  /** use at most so many training images (and so many test images); 0: all */
  limit: number;
  /** side in pixels that images are resized to; 0: the built-in default of the data */
  imageSize: number;
  /** time a few ways to cut the step on this device and take the fastest; the bits of a run depend on the way */
  autotune: boolean;
  /** how activations of the forward pass are kept for the backward pass; sums, weights and gradients are f32 always */
  storage: 'f32' | 'f16';
}

/** One setting: its check, what the check expects in words, its default and its one-line help. */
export interface SettingField<T> {
  schema: v.GenericSchema<unknown, T>;
  expects: string;
  fallback: T;
  help: string;
}

/** Text is accepted wherever a number is: URLs, forms and command lines have nothing else. */
const numeric = v.union([v.number(), v.pipe(v.string(), v.trim(), v.nonEmpty(), v.transform(Number))]);

type Checked<T> = Pick<SettingField<T>, 'schema' | 'expects'>;

function real(min: number, max: number): Checked<number> {
  return {
    schema: v.pipe(numeric, v.number(), v.minValue(min), v.maxValue(max)),
    expects: `a number from ${min} to ${max}`,
  };
}

function positive(max: number): Checked<number> {
  return {
    schema: v.pipe(numeric, v.number(), v.gtValue(0), v.maxValue(max)),
    expects: `a number above 0 and at most ${max}`,
  };
}

function below(max: number): Checked<number> {
  return {
    schema: v.pipe(numeric, v.number(), v.minValue(0), v.ltValue(max)),
    expects: `a number from 0 to below ${max}`,
  };
}

function whole(min: number, max: number): Checked<number> {
  return {
    schema: v.pipe(numeric, v.number(), v.integer(), v.minValue(min), v.maxValue(max)),
    expects: `a whole number from ${min} to ${max}`,
  };
}

function choice<const T extends string>(...values: T[]): Checked<T> {
  return { schema: v.picklist(values), expects: `one of ${values.join(', ')}` };
}

const flag: Checked<boolean> = {
  schema: v.union([
    v.boolean(),
    v.pipe(
      v.picklist(['true', 'false']),
      v.transform((text) => text === 'true'),
    ),
  ]),
  expects: 'true or false',
};

const list = v.union([
  v.array(v.unknown()),
  v.pipe(
    v.string(),
    v.transform((text) => text.split(',').map((part) => part.trim())),
  ),
]);

function channels(each: Checked<number>): Checked<[number, number, number]> {
  return {
    schema: v.pipe(list, v.strictTuple([each.schema, each.schema, each.schema])),
    expects: `three numbers (red,green,blue), each ${each.expects}`,
  };
}

const layers: Checked<TrainSettings['layers']> = {
  schema: v.union([
    v.picklist(['auto', 'depthwise', 'spatial']),
    v.pipe(list, v.array(v.pipe(v.string(), v.nonEmpty())), v.nonEmpty()),
  ]),
  expects: 'auto, depthwise, spatial or names of convolutions separated by commas',
};

const mapKernel: Checked<1 | 3 | 5> = {
  schema: v.pipe(numeric, v.picklist([1, 3, 5])),
  expects: 'one of 1, 3, 5',
};

/** Every setting in the order that help and forms show them. */
export const settingFields: { readonly [K in keyof TrainSettings]: SettingField<TrainSettings[K]> } = {
  method: {
    ...choice('refocus', 'finetune', 'retrain', 'joint'),
    fallback: 'refocus',
    help: 'what to train: maps on the frozen kernels, all weights, all from new random ones, or both together',
  },
  epochs: { ...whole(1, 100_000), fallback: 3, help: 'passes over the training images' },
  batch: { ...whole(1, 65_536), fallback: 128, help: 'images a step' },
  lr: { ...positive(100), fallback: 0.003, help: 'highest learning rate' },
  seed: { ...whole(0, 2 ** 32 - 1), fallback: 0, help: 'seed of everything random' },
  optimizer: { ...choice('sgd', 'adamw'), fallback: 'sgd', help: 'optimiser' },
  momentum: { ...below(1), fallback: 0.9, help: 'momentum of sgd' },
  nesterov: { ...flag, fallback: false, help: "Nesterov's momentum (sgd)" },
  weightDecay: { ...real(0, 1), fallback: 4e-5, help: 'weight decay' },
  labelSmoothing: { ...below(1), fallback: 0, help: 'label smoothing' },
  clipNorm: { ...real(0, 1e9), fallback: 0, help: 'largest norm of the whole gradient; 0: no clipping' },
  schedule: {
    ...choice('constant', 'step', 'cosine'),
    fallback: 'cosine',
    help: 'course of the learning rate',
  },
  warmupEpochs: { ...real(0, 100_000), fallback: 0, help: 'epochs of linear warm-up' },
  layers: {
    ...layers,
    fallback: 'auto',
    help: 'convolutions that get a map (auto: depthwise if any, else spatial)',
  },
  mapKernel: { ...mapKernel, fallback: 3, help: 'kernel size of the map' },
  mapInit: { ...choice('zeros', 'kaiming'), fallback: 'zeros', help: 'start of the map' },
  identity: { ...flag, fallback: true, help: 'the identity term of RefConv; off only as an ablation' },
  path: {
    ...choice('auto', 'dense', 'factored'),
    fallback: 'auto',
    help: 'how the map is kept (auto: factored if exact)',
  },
  cropPadding: { ...whole(0, 64), fallback: 4, help: 'padding in pixels of the random crop; 0: no crop' },
  flip: { ...flag, fallback: true, help: 'random horizontal flip' },
  mean: {
    ...channels(real(-10, 10)),
    fallback: [0.485, 0.456, 0.406],
    help: 'mean that inputs are normalised with',
  },
  std: {
    ...channels(positive(10)),
    fallback: [0.229, 0.224, 0.225],
    help: 'deviation that inputs are normalised with',
  },
  limit: { ...whole(0, 1e9), fallback: 0, help: 'at most so many training and so many test images; 0: all' },
  imageSize: {
    ...whole(0, 1024),
    fallback: 0,
    help: 'side in pixels that images are resized to; 0: as the data is',
  },
  autotune: {
    ...flag,
    fallback: false,
    help: 'time a few ways to cut the step on this device, take the fastest and remember it',
  },
  storage: {
    ...choice('f32', 'f16'),
    fallback: 'f32',
    help: 'how activations are kept; f16 takes a third less memory and needs a GPU with shader-f16',
  },
};

export type SettingName = keyof TrainSettings;

/** The settings' names, in the order of {@link settingFields}. */
export const settingNames = Object.keys(settingFields) as SettingName[];

/** The defaults of all settings. */
export function defaultSettings(): TrainSettings {
  return structuredClone(
    Object.fromEntries(settingNames.map((name) => [name, settingFields[name].fallback])),
  ) as unknown as TrainSettings;
}

/**
 * Checks one setting.
 * @param label how the message calls it, for example `--lr`
 * @throws UserError that names the setting, what it expects and what it got
 */
export function parseSetting<K extends SettingName>(
  name: K,
  value: unknown,
  label: string = name,
): TrainSettings[K] {
  const field = settingFields[name];
  const result = v.safeParse(field.schema, value);
  if (!result.success) throw new UserError(`${label} must be ${field.expects}, not ${show(value)}.`);
  return result.output as TrainSettings[K];
}

/**
 * Settings from anything: a config file's JSON, a form, URL parameters or command-line values. What is absent
 * takes its default; text is accepted for numbers, flags and lists.
 * @param label how messages call a setting; the command line says `--weight-decay`
 * @throws UserError on an unknown name, a value out of range or settings that contradict each other
 */
export function parseSettings(
  input: unknown,
  label: (name: string) => string = (name) => name,
): TrainSettings {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new UserError(`Settings must be an object of names and values, not ${show(input)}.`);
  }
  const settings: Record<string, unknown> = { ...defaultSettings() };
  for (const [name, value] of Object.entries(input)) {
    if (!Object.hasOwn(settingFields, name)) {
      throw new UserError(
        `Unknown setting ${label(name)}; the known ones are ${settingNames.map(label).join(', ')}.`,
      );
    }
    if (value !== undefined) settings[name] = parseSetting(name as SettingName, value, label(name));
  }
  const checked = settings as unknown as TrainSettings;
  checkTogether(checked, label);
  return checked;
}

/** Settings that are fine alone but not together. */
function checkTogether(settings: TrainSettings, label: (name: string) => string): void {
  if (settings.nesterov && (settings.optimizer !== 'sgd' || settings.momentum === 0)) {
    throw new UserError(
      `${label('nesterov')} needs ${label('optimizer')} sgd and ${label('momentum')} above 0.`,
    );
  }
  if (settings.path === 'factored' && (settings.optimizer !== 'sgd' || settings.method === 'joint')) {
    throw new UserError(
      `${label('path')} factored is exact only with ${label('optimizer')} sgd and a frozen basis; use ${label('path')} auto.`,
    );
  }
  if (settings.warmupEpochs > 0 && settings.warmupEpochs >= settings.epochs) {
    throw new UserError(
      `${label('warmupEpochs')} (${settings.warmupEpochs}) must be below ${label('epochs')} (${settings.epochs}).`,
    );
  }
}

/** A value in a message: short, and never more than the eye takes in. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
