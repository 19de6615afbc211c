/** The settings of a run, by their groups: the method, what is always in sight, and the rest behind a fold. */
import { presets } from '../../train/presets';
import {
  applies,
  type SettingGroup,
  type SettingName,
  settingFields,
  settingGroups,
  settingNames,
} from '../../train/settings';
import { config, resetSettings, setPreset, setSetting, settingError } from './config';
import { FieldInput } from './field';
import { RateFinder } from './rate-finder';

/** Groups that are in sight without a click. */
const inSight: readonly SettingGroup[] = ['method', 'main'];

const namesOf = (group: SettingGroup) => settingNames.filter((name) => settingFields[name].group === group);

const advancedGroups = (Object.keys(settingGroups) as SettingGroup[]).filter(
  (group) => !inSight.includes(group),
);

export function SettingsForm() {
  return (
    <>
      <Methods />
      <div class="fields four">
        {namesOf('main').map((name) => (
          <Setting key={name} name={name} />
        ))}
      </div>
      <RateFinder />
      <Advanced />
    </>
  );
}

function Methods() {
  const { label, choices } = settingFields.method;
  const error = settingError('method');
  return (
    <fieldset class="methods">
      <legend class="sr-only">{label}</legend>
      {choices?.map(({ value, label: name, help }) => (
        <label key={value} class="method">
          <input
            type="radio"
            name="method"
            value={value}
            checked={config.value.settings.method === value}
            onChange={() => setSetting('method', value)}
          />
          <b>{name}</b>
          <span>{help}</span>
        </label>
      ))}
      {error && <p class="error">{error}</p>}
    </fieldset>
  );
}

function Setting({ name, hasHelp }: { name: SettingName; hasHelp?: boolean }) {
  return (
    <FieldInput
      id={name}
      field={settingFields[name]}
      value={config.value.settings[name]}
      error={settingError(name)}
      hasHelp={hasHelp}
      onValue={(value) => setSetting(name, value)}
    />
  );
}

function Advanced() {
  const wrong = advancedGroups.flatMap(namesOf).filter(settingError).length;
  return (
    <details class="advanced">
      <summary>
        Advanced settings
        {wrong > 0 && <span class="error"> ({wrong === 1 ? '1 needs' : `${wrong} need`} a look)</span>}
      </summary>
      <p class="row">
        {Object.entries(presets).map(([name, { label, help }]) => (
          <button key={name} type="button" class="button" title={help} onClick={() => setPreset(name)}>
            Take {label}
          </button>
        ))}
        <button type="button" class="button" onClick={resetSettings}>
          Reset all settings
        </button>
      </p>
      {advancedGroups.map((group) => (
        <Group key={group} group={group} />
      ))}
    </details>
  );
}

/** A setting without a meaning beside the others is hidden, unless what it holds is wrong. */
function Group({ group }: { group: SettingGroup }) {
  const { settings } = config.value;
  const shown = namesOf(group).filter((name) => applies(name, settings) || settingError(name));
  if (shown.length === 0) return null;
  return (
    <>
      <h3>{settingGroups[group]}</h3>
      <div class="fields">
        {shown.map((name) => (
          <Setting key={name} name={name} hasHelp />
        ))}
      </div>
    </>
  );
}
