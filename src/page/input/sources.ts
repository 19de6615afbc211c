/** Step 1's state: the files that the user chose, and what is in them. */
import { computed, effect, signal, untracked } from '@preact/signals';
import type { DataSource, ModelSource, NetworkPreview, RunSurvey, UserFile } from '../../api';
import { UserError } from '../../errors';
import { namedNetwork } from '../../run/network-options';
import { defaultSettings, parseSetting } from '../../train/settings';
import { engine, explain } from '../engine';
import { config, readNetwork } from '../settings/config';

/** one file of weights, or the shards of one with their index */
export const weightsFiles = signal<UserFile[]>([]);
/** names of the classifier's rows that the user gave, and the file that they came in */
export const labels = signal<{ path: string; names: string[] } | undefined>(undefined);
export const trainFiles = signal<UserFile[]>([]);
export const testFiles = signal<UserFile[]>([]);

const source = computed(() => config.value.source);
const builtinImages = computed(() => config.value.images);

/** What the user has chosen; another array for another choice, so that what was made of an earlier one can be told. */
export const chosen = computed(() => [
  source.value,
  builtinImages.value,
  weightsFiles.value,
  labels.value,
  trainFiles.value,
  testFiles.value,
]);

export type Preview =
  | { state: 'none' }
  | { state: 'reading' }
  | ({ state: 'ready' } & NetworkPreview)
  | { state: 'failed'; why: string };

export const preview = signal<Preview>({ state: 'none' });

/** Whether images of one's own are learnt by the built-in network, for want of another. */
export const startsBuiltin = computed(
  () =>
    source.value === 'own' &&
    weightsFiles.value.length === 0 &&
    trainFiles.value.length > 0 &&
    !startsAtRandom.value,
);

/** nothing of a checkpoint but its architecture is used */
const startsAtRandom = computed(
  () =>
    weightsFiles.value.length === 0 &&
    config.value.settings.method === 'retrain' &&
    config.value.network.arch !== '',
);

/** @throws UserError that says what is still to choose */
export function readModel(): ModelSource {
  if (config.value.source === 'builtin' || startsBuiltin.value) return { kind: 'builtin' };
  const { seed } = config.value.settings;
  if (startsAtRandom.value)
    return { kind: 'random', network: namedNetwork(readNetwork()), seed: parseSetting('seed', seed) };
  if (weightsFiles.value.length === 0)
    throw new UserError(
      'Choose a weights file of your network in step 1, or images alone: the built-in network learns their classes.',
    );
  const classes = labels.value && { classes: labels.value.names };
  return { kind: 'file', network: readNetwork(), files: weightsFiles.value, ...classes };
}

/** @throws UserError that says what is still to choose */
export function readData(): { train: DataSource; test?: DataSource } {
  if (config.value.source === 'builtin') {
    const { images: set } = config.value;
    return { train: { kind: 'builtin', set, split: 'train' }, test: { kind: 'builtin', set, split: 'test' } };
  }
  if (trainFiles.value.length === 0) throw new UserError('Choose your training images in step 1.');
  const train: DataSource = { kind: 'files', files: trainFiles.value };
  if (testFiles.value.length === 0) return { train };
  return { train, test: { kind: 'files', files: testFiles.value } };
}

export type Survey =
  | { state: 'none' }
  | { state: 'reading' }
  | ({ state: 'ready' } & RunSurvey)
  | { state: 'failed'; why: string };

/** What the user's images hold, by the files' names. */
export const survey = signal<Survey>({ state: 'none' });

let asked = 0;

/** Looks into the network whenever it or its options change; only the newest answer counts. */
export function followNetwork(): void {
  const network = computed(() => config.value.network);
  effect(() => {
    const question = ++asked;
    // read for their change
    void labels.value;
    const isThere =
      source.value === 'builtin' || startsBuiltin.value || (weightsFiles.value.length > 0 && network.value);
    preview.value = { state: isThere ? 'reading' : 'none' };
    if (!isThere) return;
    untracked(look).then((answer) => {
      if (question === asked) preview.value = answer;
    });
  });
}

/** The settings that say which images are taken; undefined as long as one of them is half typed. */
const imageSettings = computed(() => {
  const { settings } = config.value;
  try {
    return JSON.stringify(surveySettings.map((name) => parseSetting(name, settings[name])));
  } catch {
    return undefined;
  }
});

const surveySettings = ['limit', 'seed', 'imageSeed', 'val', 'classOrder', 'rename', 'exif'] as const;

/** Looks into the images whenever they or the settings that choose among them change. */
export function followImages(): void {
  let asked = 0;
  effect(() => {
    const question = ++asked;
    const settingsText = imageSettings.value;
    const isThere = source.value === 'own' && trainFiles.value.length > 0 && testFiles.value;
    if (!isThere) survey.value = { state: 'none' };
    if (!isThere || settingsText === undefined) return;
    survey.value = { state: 'reading' };
    const values = JSON.parse(settingsText);
    const given = Object.fromEntries(surveySettings.map((name, i) => [name, values[i]]));
    const settings = { ...defaultSettings(), ...given };
    untracked(() => engine().survey(readData(), settings)).then(
      (found) => {
        if (question === asked) survey.value = { state: 'ready', ...found };
      },
      (error) => {
        if (question === asked) survey.value = { state: 'failed', why: explain(error) };
      },
    );
  });
}

async function look(): Promise<Preview> {
  try {
    return { state: 'ready', ...(await engine().preview(readModel())) };
  } catch (error) {
    return { state: 'failed', why: explain(error) };
  }
}
