/** The settings that are not always in sight: presets, a search, and the groups, behind a fold. */
import { useState } from 'preact/hooks';
import {
  applies,
  type SettingGroup,
  type SettingName,
  settingFields,
  settingGroups,
  settingNames,
} from '../../train/settings';
import { config, settingError } from './config';
import { ConfigActions } from './config-actions';
import { Presets } from './presets';
import { isChanged, Setting } from './setting';

/** Groups that are in sight without a click. */
const inSight: readonly SettingGroup[] = ['method', 'main'];

export const namesOf = (group: SettingGroup): SettingName[] =>
  settingNames.filter((name) => settingFields[name].group === group);

const advancedGroups = (Object.keys(settingGroups) as SettingGroup[]).filter(
  (group) => !inSight.includes(group),
);

export function Advanced() {
  const [query, setQuery] = useState('');
  const names = advancedGroups.flatMap(namesOf);
  const wrong = names.filter(settingError).length;
  const changed = names.filter(isChanged).length;
  const found = names.filter((name) => isShown(name) && matches(name, query));
  const above = query.trim() === '' ? [] : inSight.flatMap(namesOf).filter((name) => matches(name, query));
  return (
    <details class="advanced">
      <summary>
        Advanced settings
        {changed > 0 && ` (${changed} changed)`}
        {wrong > 0 && <span class="error"> ({wrong === 1 ? '1 needs' : `${wrong} need`} a look)</span>}
      </summary>
      <Presets />
      <ConfigActions />
      <div class="field search">
        <label for="setting-search">Search the settings</label>
        <input
          type="search"
          id="setting-search"
          value={query}
          autocomplete="off"
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      </div>
      {above.length > 0 && (
        <p class="hint">In sight above: {above.map((name) => settingFields[name].label).join(', ')}.</p>
      )}
      {found.length + above.length === 0 && (
        <p class="hint">No setting has “{query.trim()}” in its name or help.</p>
      )}
      {advancedGroups.map((group) => (
        <Group
          key={group}
          group={group}
          names={found.filter((name) => settingFields[name].group === group)}
        />
      ))}
    </details>
  );
}

/** A setting without a meaning beside the others is hidden, unless what it holds is wrong. */
const isShown = (name: SettingName): boolean =>
  applies(name, config.value.settings) || settingError(name) !== undefined;

/** Whether each word that is looked for stands in the setting's name, label or help, or in its group's name. */
export function matches(name: SettingName, query: string): boolean {
  const { label, help, group } = settingFields[name];
  const text = `${name} ${label} ${help} ${settingGroups[group]}`.toLowerCase();
  const words = query.toLowerCase().split(/\s+/);
  return words.every((word) => text.includes(word));
}

function Group({ group, names }: { group: SettingGroup; names: readonly SettingName[] }) {
  if (names.length === 0) return null;
  return (
    <>
      <h3>{settingGroups[group]}</h3>
      <div class="fields">
        {names.map((name) => (
          <Setting key={name} name={name} hasHelp />
        ))}
      </div>
    </>
  );
}
