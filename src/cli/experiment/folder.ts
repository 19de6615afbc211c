/**
 * The folder of an experiment: experiment.json, a run's folder for each cell (base, search/ARM-lrRATE, runs/ARM-seedN), claims, and
 * results.json and report.html, which are written anew after every cell.
 */

import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../../errors';
import { type Cell, cellsOf, type Outcomes } from '../../experiment/cells';
import { type EndedCell, outcomesOf, picturesOf, redundancyOf } from '../../experiment/ended-cells';
import { type Experiment, parseExperiment } from '../../experiment/experiment';
import { type ExperimentResults, resultsOf } from '../../experiment/results';
import { experimentHtml } from '../../report/experiment';
import { CHECKPOINT_FILES } from '../../run/checkpoint-file';
import { REPORT_PAGE, RUN_FILES } from '../../run/run-files';
import { readJson } from '../json-file';
import { readKeptRun } from '../kept-runs';
import { makeFolders, reasonOf } from '../make-folders';
import { trainedNetworkIn } from '../run-folder';
import { shellWord } from '../shell';
import { analysedSections } from './analysis-sections';

export const EXPERIMENT_FILE = 'experiment.json';
export const RESULTS_FILE = 'results.json';
const CLAIMS = 'claims';
/** What a search that diverged in its first epoch has in the place of a report. */
const DIVERGED_FILE = 'diverged.json';

/** Runs that are over; one that was stopped, or failed, goes on. */
const OVER: readonly string[] = ['finished', 'early', 'diverged'];

/** Whether a folder holds an experiment. */
export const isExperiment = (path: string): boolean => existsSync(join(path, EXPERIMENT_FILE));

export class ExperimentFolder {
  readonly cells: Cell[];
  private readonly ended = new Map<string, EndedCell>();

  constructor(
    readonly path: string,
    readonly experiment: Experiment,
  ) {
    this.cells = cellsOf(experiment);
  }

  get claims(): string {
    return join(this.path, CLAIMS);
  }

  cellFolder({ id }: Pick<Cell, 'id'>): string {
    return join(this.path, ...id.split('/'));
  }

  /** The cells that have come to an end, whoever ran them. */
  async endedCells(): Promise<EndedCell[]> {
    for (const cell of this.cells) if (!this.ended.has(cell.id)) await this.readEnded(cell);
    return this.cells.flatMap(({ id }) => this.ended.get(id) ?? []);
  }

  /** A cell that has come to an end; undefined as long as it has not. */
  async readEnded(cell: Cell): Promise<EndedCell | undefined> {
    const known = this.ended.get(cell.id);
    if (known) return known;
    const folder = this.cellFolder(cell);
    if (!existsSync(join(folder, RUN_FILES.report))) return undefined;
    const { name: _, ...run } = await readKeptRun(folder);
    const { report } = run;
    if (!report || !OVER.includes(report.ended)) return undefined;
    const found = { cell, run: { ...run, report } };
    this.ended.set(cell.id, found);
    return found;
  }

  /** What all cells that are over came to, also those that are so without a run. */
  async outcomes(): Promise<Outcomes> {
    return outcomesOf(await this.endedCells(), this.diverged);
  }

  async isOver(cell: Cell): Promise<boolean> {
    return this.hasDiverged(cell) || (await this.readEnded(cell)) !== undefined;
  }

  /** A search that diverged in its first epoch is over: at that rate it would again. */
  async endDiverged(cell: Cell, error: string): Promise<void> {
    const folder = this.cellFolder(cell);
    // a run that has come to nothing leaves no folder
    await makeFolders(folder);
    await writeWhole(join(folder, DIVERGED_FILE), `${JSON.stringify({ error })}\n`);
    await this.tidy(cell);
  }

  private get diverged(): string[] {
    return this.cells.filter((cell) => this.hasDiverged(cell)).map(({ id }) => id);
  }

  private hasDiverged(cell: Cell): boolean {
    return cell.kind === 'search' && existsSync(join(this.cellFolder(cell), DIVERGED_FILE));
  }

  /** The trained network of a cell. */
  weightsOf(id: string): string {
    const folder = this.cellFolder({ id });
    const found = trainedNetworkIn(folder);
    if (found) return found;
    throw new UserError(
      `${folder} has no merged weights to go on from: its merge was not proven, see its report.json.`,
    );
  }

  /** What only a run that goes on needs. */
  async tidy(cell: Cell): Promise<void> {
    const weights =
      cell.kind === 'search'
        ? ['merged', 'best'].flatMap((name) =>
            ['onnx', 'safetensors', 'pth'].map((type) => `${name}.${type}`),
          )
        : [];
    for (const name of [...CHECKPOINT_FILES, ...weights])
      await rm(join(this.cellFolder(cell), name), { force: true });
  }

  /** Writes results and report of what there is. */
  async writeResults(): Promise<ExperimentResults> {
    const ended = await this.endedCells();
    const results = resultsOf(this.experiment, ended, new Date().toISOString(), this.diverged);
    await writeWhole(join(this.path, RESULTS_FILE), `${JSON.stringify(results, null, 2)}\n`);
    await writeWhole(
      join(this.path, REPORT_PAGE),
      experimentHtml(results, {
        redundancy: redundancyOf(ended),
        pictures: picturesOf(ended),
        sections: await analysedSections(this.path),
      }),
    );
    return results;
  }
}

/** Another process may write the same file at the same time: each its own, and the last one stays. */
async function writeWhole(file: string, content: string): Promise<void> {
  const part = `${file}.${crypto.randomUUID()}.part`;
  try {
    await writeFile(part, content);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    throw new UserError(
      `${file} cannot be written (${(error as NodeJS.ErrnoException).code}); the runs are kept below ${dirname(file)}: free some space and go on with --resume.`,
    );
  }
}

/** The command that goes on with the experiment of a folder. */
export const goOnWith = (path: string): string => `refocus experiment ${shellWord(path)} --resume`;

/**
 * A new experiment's folder.
 * @throws UserError where it holds one already, or cannot be written
 */
export async function createExperimentFolder(
  path: string,
  experiment: Experiment,
): Promise<ExperimentFolder> {
  const file = join(path, EXPERIMENT_FILE);
  if (existsSync(file))
    throw new UserError(
      `${path} holds an experiment already: go on with it by --resume, or name another folder with --out.`,
    );
  try {
    await makeFolders(path);
  } catch (error) {
    throw new UserError(`${path} cannot be made (${reasonOf(error)}); name another --out.`);
  }
  await writeWhole(file, `${JSON.stringify(experiment, null, 2)}\n`);
  return new ExperimentFolder(path, experiment);
}

/** Gives an experiment that goes on more runs; those that it has stay. */
export async function extendExperiment(path: string, experiment: Experiment): Promise<ExperimentFolder> {
  await writeWhole(join(path, EXPERIMENT_FILE), `${JSON.stringify(experiment, null, 2)}\n`);
  return new ExperimentFolder(path, experiment);
}

/** @throws UserError where there is no experiment, or its file is none */
export async function openExperimentFolder(path: string): Promise<ExperimentFolder> {
  const file = join(path, EXPERIMENT_FILE);
  if (!existsSync(file))
    throw new UserError(`${path} holds no experiment (no ${EXPERIMENT_FILE}): name the folder of one.`);
  return new ExperimentFolder(path, parseExperiment(await readJson(file), file));
}
