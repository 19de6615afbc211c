/** The page's whole configuration as text, in the URL's hash. Never data: no file, no file name. */
import { type BuiltinSet, EXAMPLE_SET, hasObjects, isBuiltinSet } from '../../data/builtin/builtin';
import { type NetworkOptionName, networkFields, networkOptionNames } from '../../run/network-options';
import { fieldText } from '../../train/field';
import { type SettingName, settingFields, settingNames } from '../../train/settings';
import { type Lesson, lessonParameters, noLesson, readLesson } from '../lesson/lesson';

export type Source = 'builtin' | 'own';

/** What the form holds, as typed: checked where it is used (`parseSetting`), so that nothing typed is lost. */
export interface PageConfig {
  source: Source;
  /** of the built-in example */
  images: BuiltinSet;
  /** an option that is left out is the empty text */
  network: Record<NetworkOptionName, string>;
  settings: Record<SettingName, string>;
  /** a preset's name or a file's JSON; the empty text is the first preset */
  experiment: string;
  lesson: Lesson;
}

export function defaultConfig(): PageConfig {
  const network = Object.fromEntries(networkOptionNames.map((name) => [name, '']));
  const settings = Object.fromEntries(
    settingNames.map((name) => [name, fieldText(settingFields[name].fallback)]),
  );
  return {
    source: 'builtin',
    images: EXAMPLE_SET,
    network: network as PageConfig['network'],
    settings: settings as PageConfig['settings'],
    experiment: '',
    lesson: noLesson,
  };
}

/** What differs from the defaults, as `name=value&...`; empty where nothing does. */
export function encodeHash(config: PageConfig): string {
  const defaults = defaultConfig();
  const parameters = new URLSearchParams();
  if (config.source === 'own') {
    parameters.set('source', 'own');
    for (const name of networkOptionNames) {
      if (config.network[name] !== '') parameters.set(name, config.network[name]);
    }
  }
  if (config.source === 'builtin' && config.images !== defaults.images)
    parameters.set('images', config.images);
  for (const name of settingNames) {
    if (config.settings[name] !== defaults.settings[name]) parameters.set(name, config.settings[name]);
  }
  if (config.experiment !== '') parameters.set('experiment', config.experiment);
  for (const [name, value] of lessonParameters(config.lesson)) parameters.set(name, value);
  return parameters.toString();
}

/** Reads a hash, with or without its `#`. `unknown`: names that mean nothing here. */
export function decodeHash(hash: string): { config: PageConfig; unknown: string[] } {
  const config = defaultConfig();
  const unknown: string[] = [];
  for (const [name, value] of new URLSearchParams(hash.replace(/^#/, ''))) {
    const read = readLesson(config.lesson, name, value);
    if (Object.hasOwn(settingFields, name)) config.settings[name as SettingName] = value;
    else if (Object.hasOwn(networkFields, name)) config.network[name as NetworkOptionName] = value;
    else if (name === 'source' && (value === 'own' || value === 'builtin')) config.source = value;
    else if (name === 'images' && isBuiltinSet(value) && !hasObjects(value)) config.images = value;
    else if (name === 'experiment') config.experiment = value;
    else if (read) {
      config.lesson = read.lesson;
      unknown.push(...read.unknown);
    } else unknown.push(name);
  }
  return { config, unknown };
}
