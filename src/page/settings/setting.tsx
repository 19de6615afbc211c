/** One setting of a run as a field of the form, marked where it differs from its default. */
import { fieldText } from '../../train/field';
import { type SettingName, settingFields } from '../../train/settings';
import { config, setSetting, settingError } from './config';
import { FieldInput } from './field';

export const defaultText = (name: SettingName): string => fieldText(settingFields[name].fallback);

export const isChanged = (name: SettingName): boolean => config.value.settings[name] !== defaultText(name);

export function Setting({ name, hasHelp }: { name: SettingName; hasHelp?: boolean }) {
  return (
    <FieldInput
      id={name}
      field={settingFields[name]}
      value={config.value.settings[name]}
      error={settingError(name)}
      hasHelp={hasHelp}
      fallback={defaultText(name)}
      onValue={(value) => setSetting(name, value)}
    />
  );
}
