/** The page's whole configuration as text, in the URL's hash. Never data: no file, no file name. */
import { type SettingName, settingFields, settingNames } from '../../train/settings';

export type Source = 'builtin' | 'own';
export type NetworkField = 'arch' | 'width' | 'stemStride';

/** What the form holds, as typed: checked where it is used (`parseSetting`), so that nothing typed is lost. */
export interface PageConfig {
  source: Source;
  network: Record<NetworkField, string>;
  settings: Record<SettingName, string>;
}

const networkFields: NetworkField[] = ['arch', 'width', 'stemStride'];

/** A setting's value as fields and URLs write it. */
export const settingText = (value: unknown): string =>
  Array.isArray(value) ? value.join(',') : String(value);

export function defaultConfig(): PageConfig {
  const settings = Object.fromEntries(
    settingNames.map((name) => [name, settingText(settingFields[name].fallback)]),
  );
  return {
    source: 'builtin',
    network: { arch: 'resnet20_cifar', width: '', stemStride: '' },
    settings: settings as Record<SettingName, string>,
  };
}

/** What differs from the defaults, as `name=value&...`; empty where nothing does. */
export function encodeHash(config: PageConfig): string {
  const defaults = defaultConfig();
  const parameters = new URLSearchParams();
  if (config.source === 'own') {
    parameters.set('source', 'own');
    for (const name of networkFields) {
      if (config.network[name] !== '') parameters.set(name, config.network[name]);
    }
  }
  for (const name of settingNames) {
    if (config.settings[name] !== defaults.settings[name]) parameters.set(name, config.settings[name]);
  }
  return parameters.toString();
}

/** Reads a hash, with or without its `#`. `unknown`: names that mean nothing here. */
export function decodeHash(hash: string): { config: PageConfig; unknown: string[] } {
  const config = defaultConfig();
  const unknown: string[] = [];
  for (const [name, value] of new URLSearchParams(hash.replace(/^#/, ''))) {
    if (Object.hasOwn(settingFields, name)) config.settings[name as SettingName] = value;
    else if (networkFields.includes(name as NetworkField)) config.network[name as NetworkField] = value;
    else if (name === 'source' && (value === 'own' || value === 'builtin')) config.source = value;
    else unknown.push(name);
  }
  return { config, unknown };
}
