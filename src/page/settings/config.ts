/** The form's state: what is typed, what it means, and its place in the URL. */
import { computed, effect, signal } from '@preact/signals';
import { UserError } from '../../errors';
import { type NetworkOptions, parseNetworkOptions } from '../../run/network-options';
import { parseSetting, parseSettings, type SettingName, type TrainSettings } from '../../train/settings';
import { decodeHash, encodeHash, type NetworkField, type PageConfig } from './url';

const start = decodeHash(location.hash);

export const config = signal<PageConfig>(start.config);

/** Names in the URL that mean nothing here. */
export const unknownNames = signal<string[]>(start.unknown);

/** Names of settings as the form shows them and its messages call them. */
export const labels: Record<SettingName | NetworkField, string> = {
  arch: 'Architecture',
  width: 'Width factor',
  stemStride: 'Stem stride',
  method: 'Method',
  epochs: 'Epochs',
  batch: 'Batch size',
  lr: 'Learning rate',
  seed: 'Seed',
  optimizer: 'Optimiser',
  momentum: 'Momentum',
  nesterov: 'Nesterov momentum',
  weightDecay: 'Weight decay',
  labelSmoothing: 'Label smoothing',
  clipNorm: 'Gradient clip',
  schedule: 'Schedule',
  warmupEpochs: 'Warm-up epochs',
  layers: 'Refocused layers',
  mapKernel: 'Map kernel',
  mapInit: 'Map start',
  identity: 'Identity term',
  path: 'Map form',
  cropPadding: 'Crop padding',
  flip: 'Horizontal flip',
  mean: 'Mean',
  std: 'Deviation',
  limit: 'Image limit',
  imageSize: 'Image side',
  autotune: 'Tune for this device',
  storage: 'Activations kept as',
};

const labelOf = (name: string): string => labels[name as SettingName] ?? name;

export function setSetting(name: SettingName, value: string): void {
  config.value = { ...config.value, settings: { ...config.value.settings, [name]: value } };
}

export function setNetwork(name: NetworkField, value: string): void {
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
  sentence(() => parseSetting(name, config.value.settings[name], labels[name]));

export const networkError = (name: NetworkField): string | undefined =>
  sentence(() =>
    parseNetworkOptions({ arch: '?', ...given({ [name]: config.value.network[name] }) }, labelOf),
  );

/** An empty field is one that is not given. */
const given = (fields: Record<string, string>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));

/** @throws UserError where a setting is out of range, or two contradict each other */
export const readSettings = (): TrainSettings => parseSettings(config.value.settings, labelOf);

/** @throws UserError where an option is out of range */
export const readNetwork = (): NetworkOptions => parseNetworkOptions(given(config.value.network), labelOf);

export const fieldsAreFine = computed(() => {
  const { settings, network } = config.value;
  const hasError = (names: string[], error: (name: never) => unknown) =>
    names.some((name) => error(name as never) !== undefined);
  return !hasError(Object.keys(settings), settingError) && !hasError(Object.keys(network), networkError);
});

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
