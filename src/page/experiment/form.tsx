/** What an experiment is: a preset or a file, its arms, seeds and how long each run is. */
import { arms as armTable } from '../../experiment/arms';
import type { ExperimentFile } from '../../experiment/experiment';
import { experimentPresets } from '../../experiment/presets';
import { download } from '../files';
import { change, changeSetting, choice, choose, presetName } from './choice';

type FileArm = ExperimentFile['arms'][number];

const nameOf = (arm: FileArm): string => (typeof arm === 'string' ? arm : arm.name);
/** What an arm does, where the table knows it. */
const aboutOf = (arm: FileArm): string => {
  const entry = typeof arm === 'string' ? arm : arm.arm;
  const own = typeof arm === 'string' ? undefined : arm.about;
  return own ?? (entry !== undefined && Object.hasOwn(armTable, entry) ? armTable[entry].about : '');
};

export function ExperimentForm() {
  const { file, error } = choice.value;
  return (
    <div class="experiment-form">
      <div class="row">
        <label for="experiment-preset">Experiment</label>
        <select
          id="experiment-preset"
          value={presetName.value ?? ''}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          {presetName.value === undefined && <option value="">{file?.name ?? 'your own'}, changed</option>}
          {Object.entries(experimentPresets).map(([name, { label }]) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </select>
        <button
          type="button"
          class="button small"
          disabled={!file}
          onClick={() =>
            download('experiment.json', `${JSON.stringify(file, null, 2)}\n`, 'application/json')
          }
        >
          Download as JSON
        </button>
      </div>
      <p class="hint">
        {presetName.value === undefined
          ? (file?.question ?? '')
          : `${experimentPresets[presetName.value].help}.`}{' '}
        Dropped on this page, a file of your own is taken; the address holds it too.
      </p>
      {file && <Arms file={file} />}
      {file && <Numbers file={file} />}
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

function Arms({ file }: { file: ExperimentFile }) {
  const own = file.arms;
  const names = own.map(nameOf);
  const others = Object.keys(armTable).filter((name) => !names.includes(name));
  const put = (arm: FileArm, isIn: boolean) => {
    const arms = isIn ? [...own, arm] : own.filter((one) => nameOf(one) !== nameOf(arm));
    const isThere = arms.some((one) => nameOf(one) === file.reference);
    change({ arms, reference: isThere ? file.reference : undefined });
  };
  return (
    <fieldset class="experiment-arms">
      <legend>Arms</legend>
      {[...own, ...others].map((arm) => {
        const name = nameOf(arm);
        const label = typeof arm === 'string' ? (armTable[arm]?.label ?? arm) : (arm.label ?? name);
        return (
          <label key={name} title={aboutOf(arm)}>
            <input
              type="checkbox"
              checked={names.includes(name)}
              onChange={(event) => put(arm, event.currentTarget.checked)}
            />
            <bdi>{label}</bdi>
          </label>
        );
      })}
    </fieldset>
  );
}

function Numbers({ file }: { file: ExperimentFile }) {
  const { seeds, settings = {}, lrSearch } = file;
  const number = (
    id: string,
    label: string,
    value: unknown,
    put: (value: number | undefined) => void,
    { least = 1, without = '' } = {},
  ) => (
    <label key={id} for={id}>
      {label}
      <input
        id={id}
        type="number"
        min={least}
        placeholder={without}
        value={typeof value === 'number' ? value : ''}
        onChange={(event) => {
          const text = event.currentTarget.value;
          put(text === '' ? undefined : Number(text));
        }}
      />
    </label>
  );
  const seedCount = (count = 1) => {
    const found = seeds.slice(0, count);
    for (let next = 0; found.length < Math.min(100, count); next++)
      if (!found.includes(next)) found.push(next);
    change({ seeds: found });
  };
  return (
    <div class="experiment-numbers">
      {number('experiment-seeds', 'Seeds', seeds.length, seedCount)}
      {number('experiment-epochs', 'Epochs a run', settings.epochs ?? 3, (epochs) =>
        changeSetting('epochs', epochs),
      )}
      {number(
        'experiment-limit',
        'Images at most',
        // none is all of them
        settings.limit || undefined,
        (limit) => changeSetting('limit', limit),
        { without: 'all' },
      )}
      <label>
        <input
          type="checkbox"
          checked={lrSearch !== undefined}
          onChange={(event) =>
            change({
              lrSearch: event.currentTarget.checked
                ? experimentPresets.reviewers.experiment.lrSearch
                : undefined,
            })
          }
        />
        Search for each arm’s learning rate
      </label>
    </div>
  );
}
