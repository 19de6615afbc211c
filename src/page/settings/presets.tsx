/** Settings that belong together, each set by a click, with what it is for. */
import { fieldText } from '../../train/field';
import { presets } from '../../train/presets';
import type { SettingName } from '../../train/settings';
import { config, setPreset } from './config';

export function Presets() {
  return (
    <dl class="presets">
      {Object.entries(presets).map(([name, { label, help }]) => (
        <div key={name}>
          <dt>
            <button
              type="button"
              class="button small"
              aria-pressed={isTaken(name)}
              onClick={() => setPreset(name)}
            >
              {label}
            </button>
          </dt>
          <dd>{help}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Whether the form holds all that a preset says. */
const isTaken = (name: string): boolean =>
  Object.entries(presets[name].settings).every(
    ([setting, value]) => config.value.settings[setting as SettingName] === fieldText(value),
  );
