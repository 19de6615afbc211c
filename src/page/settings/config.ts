/** The form's state: what is typed, what it means, and its place in the URL. */
import { computed, effect, signal } from '@preact/signals';
import { UserError } from '../../errors';
import {
  type NetworkOptionName,
  type NetworkOptions,
  networkFields,
  networkOptionNames,
  parseNetworkOptions,
} from '../../run/network-options';
import { fieldText } from '../../train/field';
import { presetSettings } from '../../train/presets';
import {
  parseSetting,
  parseSettings,
  type SettingName,
  settingFields,
  settingNames,
  type TrainSettings,
} from '../../train/settings';
import { decodeHash, defaultConfig, encodeHash, type PageConfig } from './url';

const start = decodeHash(location.hash);

export const config = signal<PageConfig>(start.config);

/** Names in the URL that mean nothing here. */
export const unknownNames = signal<string[]>(start.unknown);

/** How the form's messages call a setting or network option. */
const labelOf = (name: string): string =>
  ({ ...settingFields, ...networkFields })[name as SettingName | NetworkOptionName]?.label ?? name;

export function setSetting(name: SettingName, value: string): void {
  config.value = { ...config.value, settings: { ...config.value.settings, [name]: value } };
}

/** Puts the defaults into the form. */
export function resetSettings(): void {
  config.value = { ...config.value, settings: defaultConfig().settings };
}

/** Puts a preset's settings into the form. */
export function setPreset(name: string): void {
  const values = Object.entries(presetSettings(name)).map(([key, value]) => [key, fieldText(value)]);
  config.value = { ...config.value, settings: { ...config.value.settings, ...Object.fromEntries(values) } };
}

/** Puts a run's settings into the form; gives the names that mean nothing here. */
export function setSettings(values: Record<string, unknown>): string[] {
  const known = Object.entries(values).filter(([name]) => Object.hasOwn(settingFields, name));
  const texts = known.map(([name, value]) => [name, fieldText(value)]);
  config.value = { ...config.value, settings: { ...config.value.settings, ...Object.fromEntries(texts) } };
  return Object.keys(values).filter((name) => !Object.hasOwn(settingFields, name));
}

export function setNetwork(name: NetworkOptionName, value: string): void {
  config.value = { ...config.value, network: { ...config.value.network, [name]: value } };
}

/** The sentence that a check throws, undefined where it passes. */
function sentence(check: () => unknown): string | undefined {
  try {
    check();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

export const settingError = (name: SettingName): string | undefined =>
  sentence(() => parseSetting(name, config.value.settings[name], labelOf(name)));

export const networkError = (name: NetworkOptionName): string | undefined =>
  sentence(() => parseNetworkOptions(given({ [name]: config.value.network[name] }), labelOf));

/** An empty field is one that is not given. */
const given = (fields: Record<string, string>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));

/** @throws UserError where a setting is out of range, or two contradict each other */
export const readSettings = (): TrainSettings => parseSettings(config.value.settings, labelOf);

/** @throws UserError where an option is out of range */
export const readNetwork = (): NetworkOptions => parseNetworkOptions(given(config.value.network), labelOf);

export const fieldsAreFine = computed(
  () => !settingNames.some(settingError) && !networkOptionNames.some(networkError),
);

/** Settings that are fine alone but not together; undefined where a field shows its own sentence. */
export const contradiction = computed(() => (fieldsAreFine.value ? sentence(readSettings) : undefined));

/** Keeps the URL and the form the same from now on. */
export function followUrl(): void {
  effect(() => {
    const hash = encodeHash(config.value);
    if (location.hash.replace(/^#/, '') !== hash) {
      history.replaceState(null, '', hash ? `#${hash}` : location.pathname + location.search);
    }
  });
  addEventListener('hashchange', () => {
    const read = decodeHash(location.hash);
    unknownNames.value = read.unknown;
    config.value = read.config;
  });
}
