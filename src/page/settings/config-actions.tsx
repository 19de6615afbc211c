/** What can be done with the configuration as a whole: copied, kept as a file, put back. */
import { useState } from 'preact/hooks';
import { explain } from '../engine';
import { download } from '../files';
import { testFiles, trainFiles, weightsFiles } from '../input/sources';
import { config, readNetwork, readSettings, resetSettings } from './config';
import { configJson } from './config-json';

export function ConfigActions() {
  const [said, setSaid] = useState('');
  const act = (action: (json: string) => string | Promise<string>) => async () => {
    try {
      setSaid(await action(currentJson()));
    } catch (error) {
      setSaid(explain(error));
    }
  };
  const copy = act(async (json) => {
    await navigator.clipboard.writeText(json);
    return 'Copied.';
  });
  const save = act((json) => {
    download('config.json', json, 'application/json');
    return 'For refocus train --config config.json; dropped on this page it sets the form.';
  });
  return (
    <div class="config-actions">
      <p class="row">
        <button type="button" class="button small" onClick={copy}>
          Copy as JSON
        </button>
        <button type="button" class="button small" onClick={save}>
          Download config.json
        </button>
        <button
          type="button"
          class="button small"
          onClick={() => {
            resetSettings();
            setSaid('');
          }}
        >
          Reset all settings
        </button>
      </p>
      <p class="hint" role="status">
        {said}
      </p>
    </div>
  );
}

/** @throws UserError where a setting is out of range */
function currentJson(): string {
  const { source, images } = config.value;
  return configJson({
    settings: readSettings(),
    network: readNetwork(),
    data: source === 'builtin' ? images : trainFiles.value,
    test: testFiles.value,
    weights: weightsFiles.value,
  });
}
