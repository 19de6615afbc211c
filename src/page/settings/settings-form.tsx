/** The settings of a run, by their groups: the method, what is always in sight, and the rest behind a fold. */
import { settingFields } from '../../train/settings';
import { Advanced, namesOf } from './advanced';
import { config, setSetting, settingError } from './config';
import { RateFinder } from './rate-finder';
import { Setting } from './setting';

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
