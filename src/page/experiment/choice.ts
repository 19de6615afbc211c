/** Which experiment the panel is set to: a preset by its name, or one of the user's own. It stands in the page's address. */
import { computed } from '@preact/signals';
import { UserError } from '../../errors';
import { type Experiment, type ExperimentFile, parseExperiment } from '../../experiment/experiment';
import { experimentPresets } from '../../experiment/presets';
import { config } from '../settings/config';

const FIRST = 'reviewers';

/** The experiment as its file would have it, and what is wrong with it. */
export type Choice =
  | { file: ExperimentFile; experiment: Experiment; error?: undefined }
  | { file?: ExperimentFile; experiment?: undefined; error: string };

export const choice = computed<Choice>(() => {
  let file: ExperimentFile | undefined;
  try {
    file = fileOf(config.value.experiment || FIRST);
    return { file, experiment: parseExperiment(file, 'The experiment') };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { file: isEditable(file) ? file : undefined, error: error.message };
  }
});

/** Whether the form can show it, so that what is wrong is mended there: the address may hold anything. */
const isEditable = (file: unknown): boolean => {
  const { arms, seeds, settings = {} } = (file ?? {}) as Partial<Record<keyof ExperimentFile, unknown>>;
  return (
    Array.isArray(arms) &&
    arms.every(
      (arm) => typeof arm === 'string' || typeof (arm as { name?: unknown } | null)?.name === 'string',
    ) &&
    Array.isArray(seeds) &&
    typeof settings === 'object' &&
    settings !== null
  );
};

/** A preset's name, or JSON. @throws UserError where it is neither */
function fileOf(text: string): ExperimentFile {
  if (Object.hasOwn(experimentPresets, text)) return structuredClone(experimentPresets[text].experiment);
  try {
    return JSON.parse(text);
  } catch {
    throw new UserError(
      `The address names an experiment that there is not; there are ${Object.keys(experimentPresets).join(', ')}.`,
    );
  }
}

/** The preset that is chosen as it stands. */
export const presetName = computed(() => {
  const name = config.value.experiment || FIRST;
  return Object.hasOwn(experimentPresets, name) ? name : undefined;
});

/** Chooses a preset, or an experiment's file. */
export function choose(experiment: string): void {
  config.value = { ...config.value, experiment: experiment === FIRST ? '' : experiment };
}

/** Changes what is chosen; it is the user's own from then on. */
export function change(changes: Partial<ExperimentFile>): void {
  const { file } = choice.value;
  if (file) choose(JSON.stringify({ ...file, ...changes }));
}

/** Changes a setting of all arms; without a value it takes its default. */
export function changeSetting(name: string, value: number | undefined): void {
  const settings = { ...choice.value.file?.settings };
  if (value === undefined) delete settings[name];
  else settings[name] = value;
  change({ settings });
}
