/** Step 2: how to train, the run's controls and its curves. */
import { type SettingName, settingFields } from '../../train/settings';
import { adapter } from '../engine';
import { isProfiling } from '../profile/profile';
import { hasMaps, obstacle } from '../results/maps';
import { config, labels, setSetting, settingError } from '../settings/config';
import { SelectField, TextField } from '../settings/field';
import { Curves } from './curve-charts';
import { Progress } from './progress';
import { cancel, failure, isBusy, pause, resume, start, status, warnings } from './run';

const methods = [
  ['refocus', 'Refocus', 'Keeps the trained kernels frozen and learns a map that refocuses them.'],
  ['finetune', 'Fine-tune', 'Goes on training every weight as it is: the fair comparison.'],
  ['retrain', 'Retrain', 'Starts again from random weights, with the same budget.'],
  ['joint', 'Joint', 'Trains the kernels and their map together.'],
] as const;

const onOff = [
  ['true', 'on'],
  ['false', 'off'],
] as const;

const plain = (...values: string[]) => values.map((value) => [value, value] as const);

/** Settings with few values; the others are typed. */
const choices: Partial<Record<SettingName, readonly (readonly [string, string])[]>> = {
  optimizer: [
    ['sgd', 'SGD'],
    ['adamw', 'AdamW'],
  ],
  nesterov: onOff,
  schedule: plain('constant', 'step', 'cosine'),
  mapKernel: plain('1', '3', '5'),
  mapInit: plain('zeros', 'kaiming'),
  identity: onOff,
  path: plain('auto', 'dense', 'factored'),
  flip: onOff,
  autotune: onOff,
  storage: plain('f32', 'f16'),
};

const main: SettingName[] = ['epochs', 'batch', 'lr', 'seed'];
const map: SettingName[] = ['layers', 'mapKernel', 'mapInit', 'identity', 'path'];
const sgd: SettingName[] = ['momentum', 'nesterov'];
const optimizer: SettingName[] = [
  'optimizer',
  ...sgd,
  'weightDecay',
  'schedule',
  'warmupEpochs',
  'labelSmoothing',
  'clipNorm',
];
const images: SettingName[] = ['cropPadding', 'flip', 'mean', 'std', 'limit', 'imageSize'];
const device: SettingName[] = ['autotune', 'storage'];
const typed = new Set<SettingName>(['layers', 'mean', 'std']);

export function StepTrain() {
  return (
    <>
      <fieldset class="plain" disabled={isBusy.value}>
        <legend class="sr-only">Method and settings</legend>
        <Methods />
        <div class="fields four">
          {main.map((name) => (
            <Setting key={name} name={name} />
          ))}
        </div>
        <Advanced />
      </fieldset>
      <Controls />
      <Progress />
      <Warnings />
      <Curves />
    </>
  );
}

function Methods() {
  const { method } = config.value.settings;
  const error = settingError('method');
  return (
    <fieldset class="methods">
      <legend class="sr-only">{labels.method}</legend>
      {methods.map(([value, name, sentence]) => (
        <label key={value} class="method">
          <input
            type="radio"
            name="method"
            value={value}
            checked={method === value}
            onChange={() => setSetting('method', value)}
          />
          <b>{name}</b>
          <span>{sentence}</span>
        </label>
      ))}
      {error && <p class="error">{error}</p>}
    </fieldset>
  );
}

function Setting({ name, hint }: { name: SettingName; hint?: string }) {
  const options = choices[name];
  const field = {
    id: name,
    label: labels[name],
    hint,
    value: config.value.settings[name],
    error: settingError(name),
    onValue: (value: string) => setSetting(name, value),
  };
  return options ? (
    <SelectField {...field} options={options} />
  ) : (
    <TextField {...field} numeric={!typed.has(name)} />
  );
}

function Advanced() {
  const { settings } = config.value;
  const group = (title: string, names: SettingName[]) => (
    <>
      <h3>{title}</h3>
      <div class="fields">
        {names.map((name) => (
          <Setting key={name} name={name} hint={settingFields[name].help} />
        ))}
      </div>
    </>
  );
  const shown = (name: SettingName) => settings.optimizer === 'sgd' || !sgd.includes(name);
  const advanced = [...map, ...optimizer, ...images, ...device];
  const wrong = advanced.filter((name) => settingError(name)).length;
  return (
    <details class="advanced">
      <summary>
        Advanced settings
        {wrong > 0 && <span class="error"> ({wrong === 1 ? '1 needs' : `${wrong} need`} a look)</span>}
      </summary>
      {hasMaps.value && group('Map', map)}
      {group('Optimisation', optimizer.filter(shown))}
      {group('Images', images)}
      {group('Device', device)}
    </details>
  );
}

function Controls() {
  const state = status.value;
  const isReady = adapter.value.state !== 'missing';
  return (
    <div class="controls">
      <div class="row">
        {isBusy.value ? (
          <>
            {state === 'paused' ? (
              <button type="button" class="button primary" onClick={resume}>
                Resume
              </button>
            ) : (
              <button type="button" class="button primary" disabled={state === 'cancelling'} onClick={pause}>
                Pause
              </button>
            )}
            <button type="button" class="button" disabled={state === 'cancelling'} onClick={cancel}>
              Stop and merge
            </button>
          </>
        ) : (
          <button
            type="button"
            class="button primary"
            disabled={!isReady || isProfiling.value}
            onClick={start}
          >
            Start training
          </button>
        )}
        {isProfiling.value && <p class="hint">The profile below needs the GPU; wait for it, or stop it.</p>}
      </div>
      {obstacle.value && !isBusy.value && <p class="error">{obstacle.value}</p>}
      {failure.value && (
        <p class="error" role="alert">
          {failure.value}
        </p>
      )}
    </div>
  );
}

function Warnings() {
  if (warnings.value.length === 0) return null;
  return (
    <details class="warnings" open={warnings.value.length <= 3}>
      <summary>{warnings.value.length === 1 ? '1 warning' : `${warnings.value.length} warnings`}</summary>
      <ul>
        {warnings.value.map((warning, i) => (
          <li key={i}>{warning}</li>
        ))}
      </ul>
    </details>
  );
}
