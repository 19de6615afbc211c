/** Whatever the user drops, pastes or picks, wherever: sorted by what it is for, and said in a line. */
import { batch, signal } from '@preact/signals';
import type { SkippedFile, SortedFiles, UserFile } from '../../api';
import { type BuiltinSet, isBuiltinSet } from '../../data/builtin/builtin';
import { UserError } from '../../errors';
import { readLabels } from '../../run/labels';
import { engine, explain } from '../engine';
import { droppedFiles, nameOf } from '../files';
import { count } from '../format';
import { isUnderWay } from '../run/state';
import { showRun } from '../saved/show';
import { config, setSettings } from '../settings/config';
import { labels, testFiles, trainFiles, weightsFiles } from './sources';

/** What became of the files that were given last. */
export interface Taken {
  sentences: string[];
  ignored: SkippedFile[];
  error?: string;
}

export const taken = signal<Taken | undefined>(undefined);

/** pictures that are to be predicted */
export const pictures = signal<UserFile[]>([]);

/** A part of a set that is dropped after the training images. */
const TEST_NAME = /(^|[^a-z])(test|testing|val|valid|validation|dev)([^a-z]|$)/i;

/**
 * Takes files for what they are.
 * @param place where images were dropped: the box for test images, or anywhere else
 */
export async function take(files: UserFile[], place?: 'test'): Promise<void> {
  if (files.length === 0) return;
  if (isUnderWay.value) {
    const error = 'A run is going on: stop it, or drop the files again when it is done.';
    taken.value = { sentences: [], ignored: [], error };
    return;
  }
  try {
    const sorted = await engine().sort(files);
    const names = sorted.labels === undefined ? undefined : await readLabels(files[sorted.labels]);
    const settings = sorted.settings === undefined ? undefined : await readRun(files[sorted.settings]);
    const runs = await takeRuns(files, sorted);
    batch(() => {
      const { sentences, ...rest } = put(files, sorted, { names, settings, place });
      taken.value = { sentences: [...sentences, ...runs], ...rest };
    });
  } catch (error) {
    taken.value = { sentences: [], ignored: [], error: explain(error) };
  }
}

/** Takes runs into the list, bundles and folders, and shows the last; says so. */
async function takeRuns(files: readonly UserFile[], { runs, runFolders }: SortedFiles): Promise<string[]> {
  if (runs.length + runFolders.length === 0) return [];
  const { importFolder, importRun } = await import('../saved/bundles');
  const all = [
    ...runs.map((i) => ({ path: files[i].path, open: () => importRun(files[i]) })),
    ...runFolders.map(({ path, files: inside }) => ({
      path,
      open: () =>
        importFolder(
          path,
          inside.map((i) => files[i]),
        ),
    })),
  ];
  const sentences: string[] = [];
  for (const { path, open } of all) {
    const run = await open();
    sentences.push(`${path}: a run, in the list of runs now.`);
    await showRun(run.id);
  }
  return sentences;
}

interface Given {
  names?: string[];
  settings?: RunFile;
  place?: 'test';
}

/** Puts sorted files where they belong; says what was put where. */
function put(files: readonly UserFile[], sorted: SortedFiles, { names, settings, place }: Given): Taken {
  const of = (indices: number[]) => indices.map((i) => files[i]);
  const sentences: string[] = [];
  if (sorted.weights.length > 0) {
    weightsFiles.value = of(sorted.weights);
    // names of another network's classes
    labels.value = undefined;
    sentences.push(`${nameOf(weightsFiles.value)}: weights.`);
  }
  if (names) {
    const { path } = files[sorted.labels!];
    labels.value = { path, names };
    sentences.push(`${path}: the names of ${count(names.length)} classes.`);
  }
  if (sorted.images.length > 0) {
    const images = of(sorted.images);
    const isTest =
      place === 'test' || (trainFiles.value.length > 0 && TEST_NAME.test(images[0].path.split('/')[0]));
    (isTest ? testFiles : trainFiles).value = images;
    sentences.push(`${nameOf(images)}: ${isTest ? 'test images' : 'images'}.`);
  }
  if (settings?.experiment !== undefined) {
    config.value = { ...config.value, experiment: settings.experiment };
    sentences.push(`${files[sorted.settings!].path}: an experiment, in the panel Experiments below.`);
  } else if (settings) {
    const unknown = setSettings(settings.values);
    if (settings.images) config.value = { ...config.value, source: 'builtin', images: settings.images };
    const others = unknown.length > 0 ? `; ${unknown.join(', ')} mean nothing here` : '';
    sentences.push(`${files[sorted.settings!].path}: the settings of a run${others}.`);
  }
  if (sorted.pictures.length > 0) {
    pictures.value = of(sorted.pictures);
    sentences.push(`${nameOf(pictures.value)}: without a class, to be predicted (step 3).`);
  }
  if (sorted.weights.length + sorted.images.length > 0 || names)
    config.value = { ...config.value, source: 'own' };
  return { sentences, ignored: sorted.ignored };
}

/** What a config.json or report.json says of a run, or that it is an experiment. */
interface RunFile {
  /** its settings, by their names */
  values: Record<string, unknown>;
  /** the built-in set that it took */
  images?: BuiltinSet;
  /** it is no run but an experiment: its file */
  experiment?: string;
}

async function readRun({ path, blob }: UserFile): Promise<RunFile> {
  const content = JSON.parse(await blob.text()) as {
    settings?: unknown;
    data?: unknown;
    [name: string]: unknown;
  };
  const { settings, data } = content;
  // its file, or the results that came of it
  const experiment = Array.isArray(content.arms) ? content : content.experiment;
  if (experiment) {
    // its script comes with the panel: what is wrong is said before the file takes another's place
    const { parseExperiment } = await import('../../experiment/experiment');
    parseExperiment(experiment, path);
    return { values: {}, experiment: JSON.stringify(experiment) };
  }
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings))
    throw new UserError(`${path} has no settings: drop the config.json or report.json of a run.`);
  const [name] = Array.isArray(data) ? data : [];
  const images = typeof name === 'string' && isBuiltinSet(name) ? name : undefined;
  return { values: settings as Record<string, unknown>, images };
}

/** Takes what is dropped or pasted anywhere on the page; a file never replaces the page, and a run with it. */
export function followDrops(): void {
  const over = (isOver: boolean) => document.documentElement.classList.toggle('dropping', isOver);
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    over(event.dataTransfer?.types.includes('Files') ?? false);
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) over(false);
  });
  document.addEventListener('drop', (event) => {
    over(false);
    // a class of the user's own set has taken it
    if (event.defaultPrevented) return;
    event.preventDefault();
    const place = event.target instanceof Element && event.target.closest('[data-place=test]');
    if (event.dataTransfer)
      droppedFiles(event.dataTransfer)
        .then((files) => take(files, place ? 'test' : undefined))
        .catch((error) => {
          taken.value = { sentences: [], ignored: [], error: explain(error) };
        });
  });
  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    take(files.map((file) => ({ path: file.name, blob: file })));
  });
}
