/** What a setting is, and the groups that forms and help show settings in. */
import type { Accepts, Field } from '../field';

/** Where forms show a setting; `main` is always in sight, the method has a place of its own. */
export const settingGroups = {
  method: 'Method',
  main: 'Run',
  map: 'Map',
  layers: 'Layers that train',
  optimisation: 'Optimisation',
  schedule: 'Schedule',
  images: 'Images',
  augmentation: 'Augmentation',
  device: 'Device',
  results: 'Results',
} as const;

export type SettingGroup = keyof typeof settingGroups;

/** A setting: its group, its default, and the other settings' values that it has a meaning for. */
export interface SettingField<T> extends Field<T> {
  group: SettingGroup;
  fallback: T;
  /** a form hides it elsewhere; absent: always shown */
  onlyFor?: Readonly<Record<string, readonly string[]>>;
}

type Rest<T> = Omit<SettingField<T>, keyof Accepts<T> | 'fallback'>;

export const setting = <T>(accepts: Accepts<T>, fallback: NoInfer<T>, rest: Rest<T>): SettingField<T> => ({
  ...accepts,
  ...rest,
  fallback,
});

/** `onlyFor` of what has a meaning for maps alone, for what is made of their kernel too, for any change of layers, or for SGD. */
export const MAPS = { method: ['refocus', 'joint'] };
export const SHIFTS = { method: [...MAPS.method, 'precondition'] };
export const LAYERS = { method: [...SHIFTS.method, 'branches'] };
export const SGD = { optimizer: ['sgd'] };
