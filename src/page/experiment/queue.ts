/** Runs the cells of an experiment one after the other; each is a run like any other, kept and gone on with as those are. */
import { computed, signal } from '@preact/signals';
import type { TrainJob, TrainResult } from '../../api';
import { EXAMPLE_SET, hasObjects, isBuiltinSet } from '../../data/builtin/builtin';
import { UserError } from '../../errors';
import { type Cell, cellsOf, settingsOf } from '../../experiment/cells';
import { outcomesOf } from '../../experiment/ended-cells';
import type { Experiment } from '../../experiment/experiment';
import { readyCells, secondsLeft } from '../../experiment/queue';
import { resultsOf } from '../../experiment/results';
import { namedNetwork } from '../../run/network-options';
import { PICTURES_FILE, readPictures } from '../../run/pictures';
import { REDUNDANCY_FILE, readRedundancy } from '../../run/run-files';
import { parseSettings, type TrainSettings } from '../../train/settings';
import { explain } from '../engine';
import { readData, readModel } from '../input/sources';
import { cancel, resumeSaved, runBeside } from '../run/run';
import { evals, failure, finished, progress, rate, steps } from '../run/state';
import { entries } from '../saved/entries';
import { readSettingsOf } from '../saved/inputs';
import { canGoOn, purge, renameRun } from '../saved/store';
import { config } from '../settings/config';
import { forgetExperiment, type KeptCell, type KeptExperiment, keepExperiment, readExperiment } from './kept';

/** The experiment that is shown: it runs, was stopped, or is at its end. */
export const shown = signal<KeptExperiment | undefined>(undefined);
/** the cell that trains now */
export const current = signal<Cell | undefined>(undefined);
/** cells that could not come to an end, and why */
export const failed = signal<ReadonlyMap<string, string>>(new Map());
export const isRunning = signal(false);
export const isStopping = signal(false);
export const error = signal<string | undefined>(undefined);

export const cells = computed(() => (shown.value ? cellsOf(shown.value.experiment) : []));

export const results = computed(() => {
  const { value } = shown;
  return value && resultsOf(value.experiment, value.ended, new Date().toISOString());
});

const states = () => {
  const over = new Set(shown.value?.ended.map(({ cell }) => cell.id));
  return new Map(
    cells.value
      .filter(({ id }) => over.has(id) || failed.value.has(id))
      .map(({ id }) => [id, over.has(id) ? ('ended' as const) : ('failed' as const)]),
  );
};

/** Seconds until all of it is done. */
export const left = computed(() => {
  const cell = current.value;
  const share = progress.value;
  const { etaSeconds } = rate.value;
  if (!shown.value || !cell) return undefined;
  const times = shown.value.ended.map(({ cell: { id }, run }) => ({ id, seconds: run.report.seconds }));
  const pace = share > 0 && share < 1 ? etaSeconds / ((1 - share) * cell.work) : undefined;
  return secondsLeft(cells.value, states(), { times, running: new Map([[cell.id, share]]), pace });
});

let isRead = false;
/** Shows what an earlier page has left. */
export async function openKept(): Promise<void> {
  if (isRead) return;
  isRead = true;
  const kept = await readExperiment();
  if (kept && !shown.value) shown.value = kept;
}

/** Begins an experiment; what was shown goes. */
export async function begin(experiment: Experiment): Promise<void> {
  if (isRunning.value) return;
  isRead = true;
  shown.value = { experiment, ended: [] };
  await goOn();
}

/** Forgets the experiment; its runs stay in the list of runs. */
export async function close(): Promise<void> {
  shown.value = undefined;
  failed.value = new Map();
  error.value = undefined;
  await forgetExperiment();
}

/** Ends the run that goes on, and with it the queue; it goes on at that step. */
export async function stop(): Promise<void> {
  isStopping.value = true;
  await cancel();
}

/** Does what is left. */
export async function goOn(): Promise<void> {
  if (isRunning.value || !shown.value) return;
  isRunning.value = true;
  isStopping.value = false;
  error.value = undefined;
  failed.value = new Map();
  const share = crypto.randomUUID();
  try {
    await keepExperiment(shown.value);
    for (let [cell] = readyCells(cells.value, states()); cell; [cell] = readyCells(cells.value, states())) {
      current.value = cell;
      await runCell(shown.value, cell, share);
      if (isStopping.value) return;
    }
  } catch (thrown) {
    error.value = explain(thrown);
  } finally {
    current.value = undefined;
    isRunning.value = false;
    isStopping.value = false;
  }
}

/** @param share a name by which the cells share their images */
async function runCell(kept: KeptExperiment, cell: Cell, share: string): Promise<void> {
  const settings = settingsOf(kept.experiment, cell, outcomesOf(kept.ended));
  const begun = await unfinishedRun(settings);
  const job = begun === undefined ? { ...jobOf(kept, cell), settings, share } : undefined;
  const result = await (job ? runBeside(job, {}) : resumeSaved(begun!));
  if (!result) {
    if (!isStopping.value)
      failed.value = new Map(failed.value).set(cell.id, failure.value ?? 'It did not begin.');
    return;
  }
  const { ended } = result.report;
  if (ended === 'stopped') {
    isStopping.value = true;
    return;
  }
  if (ended === 'failed') {
    failed.value = new Map(failed.value).set(cell.id, 'The GPU was lost.');
    return;
  }
  await take(kept.experiment, cell, result);
}

/** A run with these settings that was cut off or stopped: it goes on, to the same end. */
async function unfinishedRun(settings: TrainSettings): Promise<string | undefined> {
  const wanted = JSON.stringify(parseSettings(settings));
  for (const entry of entries.value) {
    if (entry.deleted !== undefined || !canGoOn(entry) || entry.state === 'diverged') continue;
    const own = await readSettingsOf(entry.id).catch(() => undefined);
    if (own && JSON.stringify(parseSettings(own)) === wanted) return entry.id;
  }
  return undefined;
}

/** Keeps what a cell came to. A search's run is of no further use. */
async function take(experiment: Experiment, cell: Cell, result: TrainResult): Promise<void> {
  const { report, metrics, merged, files } = result;
  const redundancy = files.find(({ name }) => name === REDUNDANCY_FILE);
  const pictures = files.find(({ name }) => name === PICTURES_FILE);
  const run = {
    report,
    metrics: metrics.length > 0 ? metrics : [...steps],
    evals: evals.value.map(({ which, point }) => ({ which, point })),
    predictions: {},
    redundancy: redundancy
      ? await readRedundancy(new Blob([redundancy.bytes]), REDUNDANCY_FILE)
      : { before: [], after: [] },
    ...(pictures && { pictures: readPictures(new TextDecoder().decode(pictures.bytes), PICTURES_FILE) }),
  };
  const isStart = cells.value.some(({ from }) => from === cell.id);
  const kept: KeptCell = { cell, run, ...(isStart && { merged: new Blob([merged]) }) };
  shown.value = { experiment, ended: [...(shown.value?.ended ?? []), kept] };
  await keepExperiment(shown.value);
  const id = finished.value.find((one) => one.result === result)?.id;
  if (id === undefined) return;
  if (cell.kind === 'search') await purge(id).catch(() => {});
  else await renameRun(id, `${experiment.name}: ${cell.arm ?? 'base'}, seed ${cell.seed}`);
}

/** What a cell trains, but for its settings: the network and images of step 1, or those of the experiment where it names built-in ones. */
function jobOf({ experiment, ended }: KeptExperiment, cell: Cell): Omit<TrainJob, 'settings'> {
  const own = jobOfBase(experiment);
  if (cell.from === undefined) return own;
  const start = ended.find((one) => one.cell.id === cell.from)?.merged;
  if (!start)
    throw new UserError(`The network of ${cell.from}, which ${cell.id} starts from, is not here any more.`);
  return {
    ...own,
    model: { kind: 'file', files: [{ path: `${cell.from.replace('/', '-')}.safetensors`, blob: start }] },
  };
}

/** Whether the experiment brings its images, so that those of step 1 take no part; of other tasks than classification there are none. */
export const bringsImages = ({ data, base }: Experiment): boolean =>
  base.weights === undefined &&
  data.length === 1 &&
  isBuiltinSet(data[0]) &&
  (config.value.source === 'builtin' || hasObjects(data[0]));

function jobOfBase(experiment: Experiment): Omit<TrainJob, 'settings'> {
  const [set] = experiment.data;
  if (!bringsImages(experiment) || !isBuiltinSet(set) || set === EXAMPLE_SET)
    return { model: readModel(), ...readData() };
  const { network } = experiment.base;
  const model: TrainJob['model'] = network
    ? { kind: 'random', network: namedNetwork(network), seed: experiment.seeds[0] }
    : { kind: 'builtin' };
  return {
    model,
    train: { kind: 'builtin', split: 'train', set },
    test: { kind: 'builtin', split: 'test', set },
  };
}
