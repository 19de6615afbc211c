/** The settings of a run, by their groups: the method, what is always in sight, and the rest behind a fold. */
import { useState } from 'preact/hooks';
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

/** The method and what it is compared with come first in the table of settings. */
const FIRST = 2;

function Methods() {
  const { label, choices = [] } = settingFields.method;
  const [isOpen, setOpen] = useState(false);
  const error = settingError('method');
  const others = choices.slice(FIRST);
  const isOther = others.some(({ value }) => value === config.value.settings.method);
  return (
    <fieldset class="plain">
      <legend class="sr-only">{label}</legend>
      <MethodList choices={choices.slice(0, FIRST)} />
      <details
        class="other-methods"
        open={isOpen || isOther}
        onToggle={(event) => setOpen(event.currentTarget.open)}
      >
        <summary>Other methods: {others.map(({ label: name }) => name.toLowerCase()).join(', ')}</summary>
        <MethodList choices={others} />
      </details>
      {error && <p class="error">{error}</p>}
    </fieldset>
  );
}

const MethodList = ({ choices }: { choices: NonNullable<typeof settingFields.method.choices> }) => (
  <div class="methods">
    {choices.map(({ value, label: name, help }) => (
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
  </div>
);
