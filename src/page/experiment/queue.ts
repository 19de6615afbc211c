/** Runs the cells of an experiment one after the other; each is a run like any other, kept and gone on with as those are. */
import { computed, effect, signal } from '@preact/signals';
import type { TrainResult } from '../../api';
import { UserError } from '../../errors';
import { type Cell, cellsOf, isWithoutRate, settingsOf } from '../../experiment/cells';
import { outcomesOf } from '../../experiment/ended-cells';
import type { Experiment } from '../../experiment/experiment';
import { type CellState, readyCells, secondsLeft } from '../../experiment/queue';
import { resultsOf } from '../../experiment/results';
import { labelOf } from '../../report/experiment-words';
import { PICTURES_FILE, readPictures } from '../../run/pictures';
import { REDUNDANCY_FILE, readRedundancy } from '../../run/run-files';
import type { SettingName, TrainSettings } from '../../train/settings';
import { explain } from '../engine';
import { series } from '../gpu-use';
import { cancel, resumeSaved, startCell } from '../run/run';
import { evals, isBusy, progress, rate, steps } from '../run/state';
import { entries, type RunEntry } from '../saved/entries';
import { readSettingsOf } from '../saved/inputs';
import { type CellName, canGoOn, purge } from '../saved/store';
import { config } from '../settings/config';
import { cellText } from './cell-text';
import { asTrained, bringsImages, inputsInWords, jobOf } from './job';
import {
  forgetExperiment,
  type KeptCell,
  type KeptExperiment,
  keepExperiment,
  keepShown,
  readExperiments,
  readShown,
} from './kept';
import { startOf } from './start';

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
  return value && resultsOf(asTrained(value), value.ended, new Date().toISOString(), value.diverged);
});

/** what all cells that are over came to */
const outcomes = computed(() => outcomesOf(shown.value?.ended ?? [], shown.value?.diverged ?? []));

function states(but = failed.value): Map<string, CellState> {
  const stateOf = (cell: Cell): CellState => {
    if (outcomes.value.has(cell.id)) return 'ended';
    const isFailed = but.has(cell.id) || isWithoutRate(shown.value!.experiment, cell, outcomes.value);
    return isFailed ? 'failed' : 'open';
  };
  return new Map(cells.value.map((cell) => [cell.id, stateOf(cell)]));
}

/** Whether there is something to go on with; what failed is tried again. */
export const hasMore = computed(() => readyCells(cells.value, states(new Map())).length > 0);

/** Seconds until all of it is done. */
export const left = computed(() => {
  const cell = current.value;
  const share = isBusy.value ? progress.value : 0;
  const { etaSeconds } = rate.value;
  if (!shown.value || !cell) return undefined;
  const times = shown.value.ended.map(({ cell: { id }, run }) => ({ id, seconds: run.report.seconds }));
  const pace = share > 0 && share < 1 ? etaSeconds / ((1 - share) * cell.work) : undefined;
  return secondsLeft(cells.value, states(), { times, running: new Map([[cell.id, share]]), pace });
});

/** Those that are kept, the latest first, the one that is shown too. */
export const earlier = signal<readonly KeptExperiment[]>([]);
/** the one that was deleted last, which can be taken back until the page closes */
export const deleted = signal<KeptExperiment | undefined>(undefined);

let isRead = false;
/** Finds what earlier pages have left, and shows what they showed, unless the address names another. */
export async function openKept(): Promise<void> {
  if (isRead) return;
  isRead = true;
  const [kept, last] = await Promise.all([readExperiments(), readShown()]);
  earlier.value = kept;
  if (last?.address === config.value.experiment) shown.value ??= kept.find(({ id }) => id === last.id);
}

/** Begins an experiment; others stay in the list. */
export async function begin(experiment: Experiment): Promise<void> {
  if (isRunning.value) return;
  const isBuiltin = bringsImages(experiment);
  show({
    id: crypto.randomUUID(),
    date: new Date().toISOString(),
    isBuiltin,
    experiment,
    ended: [],
    diverged: [],
  });
  await goOn();
}

/** Shows one, or the form for another. */
export function show(kept: KeptExperiment | undefined): void {
  shown.value = kept;
  failed.value = new Map();
  error.value = undefined;
  keepShown(kept && { id: kept.id, address: config.value.experiment });
}

/** Deletes an experiment; its runs stay in the list of runs. */
export async function remove(kept: KeptExperiment): Promise<void> {
  earlier.value = earlier.value.filter(({ id }) => id !== kept.id);
  deleted.value = kept;
  await forgetExperiment(kept.id);
}

export async function takeBack(): Promise<void> {
  const kept = deleted.value;
  deleted.value = undefined;
  if (kept) await keep(kept);
}

async function keep(kept: KeptExperiment): Promise<void> {
  const others = earlier.value.filter(({ id }) => id !== kept.id);
  earlier.value = [kept, ...others].sort((a, b) => (a.date < b.date ? 1 : -1));
  await keepExperiment(kept);
}

/** Ends the run that goes on or is about to begin, and with it the queue; it goes on at that step. */
export function stop(): void {
  isStopping.value = true;
}

/** Does what is left. Tabs do not share the runs of one experiment. */
export async function goOn(): Promise<void> {
  const kept = shown.value;
  if (isRunning.value || !kept) return;
  isRunning.value = true;
  isStopping.value = false;
  error.value = undefined;
  failed.value = new Map();
  // at once: until its files are found another job could take the GPU, and no run of it would begin
  const [first] = readyCells(cells.value, states());
  if (first) announce(first);
  const leave = effect(() => {
    if (isStopping.value && isBusy.value) cancel();
  });
  try {
    await navigator.locks.request(`refocus-experiment ${kept.id}`, { ifAvailable: true }, async (lock) => {
      if (!lock) throw new UserError('Another tab goes on with this experiment.');
      shown.value = { ...kept, inputs: kept.inputs ?? (await inputsInWords(kept)) };
      await keep(shown.value);
      await runCells(crypto.randomUUID());
    });
  } catch (thrown) {
    error.value = explain(thrown);
  } finally {
    leave();
    series.value = undefined;
    current.value = undefined;
    isRunning.value = false;
    isStopping.value = false;
  }
}

/** Says which cell is next: from then on the GPU is the experiment's. */
function announce(cell: Cell): void {
  current.value = cell;
  const words = cellText(cell, labelOf(results.value!));
  series.value = { at: outcomes.value.size + failed.value.size + 1, of: cells.value.length, words };
}

/** @param share a name by which the cells share their images */
async function runCells(share: string): Promise<void> {
  for (let [cell] = readyCells(cells.value, states()); cell; [cell] = readyCells(cells.value, states())) {
    announce(cell);
    await runCell(shown.value!, cell, share);
    if (isStopping.value) return;
  }
}

async function runCell(kept: KeptExperiment, cell: Cell, share: string): Promise<void> {
  const begun = runOf(kept, cell);
  const settings = settingsOf(kept.experiment, cell, outcomes.value);
  const over = begun && (await endedAlone(begun, settings));
  if (over) return add({ cell, ...over });
  const inputs = await jobOf(kept, cell);
  if (isStopping.value) return;
  const outcome = await (begun && (await isToGoOn(begun))
    ? resumeSaved(begun.id, () => inputs)
    : startCell({ ...inputs, settings, share }, cellName(kept, cell)));
  if (!outcome) {
    // its user has stopped it before its first step or thrown it away, or another tab has it: no run comes behind it
    isStopping.value = true;
    return;
  }
  const { result, failure } = outcome;
  if (failure !== undefined) {
    if (cell.kind === 'search' && outcome.diverged) await endDiverged(cell);
    else if (!isStopping.value) failed.value = new Map(failed.value).set(cell.id, failure);
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
  await take(cell, result);
}

/**
 * Whether a run was cut off, and the browser's storage has not lost what it was to do. One that diverged would go on at a lower rate,
 * which is not its arm's.
 */
const isToGoOn = async (run: RunEntry): Promise<boolean> =>
  canGoOn(run) &&
  run.state !== 'diverged' &&
  run.remedy === undefined &&
  (await readSettingsOf(run.id)) !== undefined;

/**
 * What a run has come to with which its user, or a reload, went on beside its experiment. Undefined where it is not over, or was
 * mended by other settings than the cell's.
 */
async function endedAlone(
  { id, state }: RunEntry,
  settings: TrainSettings,
): Promise<Omit<KeptCell, 'cell'> | undefined> {
  if (state !== 'finished' && state !== 'early') return undefined;
  const { openRun } = await import('../saved/results');
  const opened = await openRun(id).catch(() => undefined);
  if (!opened?.result) return undefined;
  const { result, metrics, evals, redundancy, pictures } = opened;
  const { report } = result;
  const isAsked = Object.entries(settings).every(
    ([name, value]) =>
      value === 'auto' || JSON.stringify(report.settings[name as SettingName]) === JSON.stringify(value),
  );
  if (!isAsked) return undefined;
  const run = { report, metrics, evals, predictions: {}, redundancy, ...(pictures && { pictures }) };
  return { run, merged: startOf(result) };
}

const cellName = ({ id, experiment }: KeptExperiment, cell: Cell): CellName => ({
  cell: `${id} ${cell.id}`,
  name: [
    `${experiment.name}: ${cell.arm ?? 'base'}`,
    ...(cell.kind === 'search' ? [`rate ${cell.lr}`] : [`seed ${cell.seed}`]),
  ].join(', '),
});

/** The run that a cell is, the latest where one did not go on; it may be over, and is gone where its user deleted it. */
export const runOf = (kept: KeptExperiment, cell: Cell): RunEntry | undefined => {
  const { cell: own } = cellName(kept, cell);
  return entries.value.find((entry) => entry.cell === own && entry.deleted === undefined);
};

/** Keeps what a cell came to. */
async function take(cell: Cell, result: TrainResult): Promise<void> {
  const { report, metrics, files } = result;
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
  await add({ cell, run, merged: startOf(result) });
}

async function add({ cell, run, merged }: KeptCell): Promise<void> {
  const isStart = cells.value.some(({ from }) => from === cell.id);
  const kept: KeptCell = { cell, run, ...(isStart && { merged }) };
  const all = shown.value!;
  shown.value = { ...all, ended: [...all.ended, kept] };
  await keep(shown.value);
  await removeSearches(shown.value, cell);
}

/** Keeps that a search diverged before it came to anything: at that rate it would again. */
async function endDiverged({ id }: Cell): Promise<void> {
  const all = shown.value!;
  shown.value = { ...all, diverged: [...all.diverged, id] };
  await keep(shown.value);
}

/** A search's runs are of no further use once another has the network and images too, which this tab may lose at any moment. */
async function removeSearches(kept: KeptExperiment, last: Cell): Promise<void> {
  const searches = cells.value.filter(
    ({ kind, id }) => kind === 'search' && id !== last.id && outcomes.value.has(id),
  );
  const names = new Set(searches.map((cell) => cellName(kept, cell).cell));
  for (const { id, cell } of entries.value)
    if (cell !== undefined && names.has(cell)) await purge(id).catch(() => {});
}
