/**
 * The settings of a training run, each described once, in the file of its group: the page's form, its URL, the config file, the
 * command line and their messages read them from here.
 */
import { UserError } from '../errors';
import type { DecidedAugmentation } from './augmentation';
import { fieldText, parseField, show } from './field';
import { augmentation } from './settings/augmentation';
import { device } from './settings/device';
import { images } from './settings/images';
import { layers } from './settings/layers';
import { map } from './settings/map';
import { optimisation } from './settings/optimisation';
import { results } from './settings/results';
import { run } from './settings/run';
import { schedule } from './settings/schedule';
import type { SettingField } from './settings/setting';

export { type SettingField, type SettingGroup, settingGroups } from './settings/setting';

/** Every setting, in the order in which help and forms show them. */
export const settingFields = {
  ...run,
  ...map,
  ...layers,
  ...optimisation,
  ...schedule,
  ...augmentation,
  ...images,
  ...device,
  ...results,
};

export type SettingName = keyof typeof settingFields;

/** The settings of a run; {@link settingFields} says what each means and takes. */
export type TrainSettings = { [K in SettingName]: (typeof settingFields)[K]['fallback'] };

type Decided =
  | 'batch'
  | 'lr'
  | 'microBatch'
  | 'repeats'
  | 'mean'
  | 'std'
  | 'headEpochs'
  | 'interpolation'
  | 'cropPct'
  | 'cropMode'
  | keyof DecidedAugmentation;

/** The settings of a run whose network and images are known: what was `auto` is decided. */
export type RunSettings = Omit<TrainSettings, Decided> & {
  [K in Decided]: Exclude<TrainSettings[K], 'auto'>;
};

export type Method = TrainSettings['method'];

/** The settings' names, in the order of {@link settingFields}. */
export const settingNames = Object.keys(settingFields) as SettingName[];

/** The defaults of all settings. */
export function defaultSettings(): TrainSettings {
  return structuredClone(
    Object.fromEntries(settingNames.map((name) => [name, settingFields[name].fallback])),
  ) as unknown as TrainSettings;
}

/** Whether a setting has a meaning beside the others as they stand; a form hides it where it has none. */
export function applies(name: SettingName, settings: Readonly<Record<SettingName, unknown>>): boolean {
  const { onlyFor = {} }: SettingField<unknown> = settingFields[name];
  return Object.entries(onlyFor).every(([other, values]) =>
    values.includes(fieldText(settings[other as SettingName])),
  );
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
  return parseField<unknown>(settingFields[name], value, label) as TrainSettings[K];
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
  if (settings.unmerged && !settings.identity) {
    throw new UserError(
      `${label('unmerged')} needs the ${label('identity')} term: who reads bases and maps adds it.`,
    );
  }
  if (settings.norms && settings.unmerged) {
    throw new UserError(
      `${label('unmerged')} does not go with ${label('norms')}: once these are folded there is no basis that the maps stand for.`,
    );
  }
  if (settings.norms && settings.freeze === 'norms') {
    throw new UserError(
      `${label('norms')} adds batch norms to train, ${label('freeze')} norms freezes them: give one of them.`,
    );
  }
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
  const { cropScale, cropPadding, colorJitter } = settings;
  if (cropScale !== 'auto' && cropScale < 1 && cropPadding !== 'auto' && cropPadding > 0) {
    throw new UserError(
      `${label('cropScale')} and ${label('cropPadding')} are two kinds of crop: give one of them.`,
    );
  }
  if (colorJitter !== 'auto' && colorJitter[3] > 0.5) {
    throw new UserError(`${label('colorJitter')}'s hue must be at most 0.5, not ${colorJitter[3]}.`);
  }
  const { epochs, warmupEpochs, headEpochs } = settings;
  checkRounds(settings, label);
  if (headEpochs !== 'auto' && headEpochs > epochs) {
    throw new UserError(
      `${label('headEpochs')} (${headEpochs}) must not be above ${label('epochs')} (${epochs}).`,
    );
  }
  const head = headEpochs === 'auto' ? 0 : headEpochs;
  if (warmupEpochs > 0 && warmupEpochs >= epochs - head) {
    const less = head > 0 ? ` less ${label('headEpochs')} (${head})` : '';
    throw new UserError(
      `${label('warmupEpochs')} (${warmupEpochs}) must be below ${label('epochs')} (${epochs})${less}.`,
    );
  }
}

/** Rounds of refocusing, each of an epoch at least and longer than its warm-up. */
function checkRounds(s: TrainSettings, label: (name: string) => string): void {
  const { method, rounds, epochs, headEpochs, warmupEpochs, mapInit, ema } = s;
  if (method !== 'refocus' || rounds === 1) return;
  const left = epochs - (headEpochs === 'auto' ? 0 : headEpochs);
  if (rounds > left)
    throw new UserError(
      `${label('rounds')} (${rounds}) must not be above the epochs that refocus (${left}).`,
    );
  if (warmupEpochs > 0 && warmupEpochs >= Math.floor(left / rounds))
    throw new UserError(
      `${label('warmupEpochs')} (${warmupEpochs}) must be below the epochs of each of the ${rounds} ${label('rounds')} (${Math.floor(left / rounds)}).`,
    );
  if (mapInit !== 'zeros')
    throw new UserError(
      `${label('rounds')} above 1 needs ${label('mapInit')} zeros: what a round has made is where the next begins.`,
    );
  if (ema > 0)
    throw new UserError(
      `${label('rounds')} above 1 needs ${label('ema')} 0: an average over two bases is the average of neither.`,
    );
}
