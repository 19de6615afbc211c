/** The queue of an experiment's cells, one after the other in this process, and beside others that work in the same folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineApi, TrainEvent } from '../../api';
import { UserError } from '../../errors';
import { type Cell, isWithoutRate, type Outcomes, settingsOf } from '../../experiment/cells';
import type { EndedCell } from '../../experiment/ended-cells';
import { type CellState, isWaiting, readyCells, secondsLeft } from '../../experiment/queue';
import type { ExperimentResults } from '../../experiment/results';
import { duration } from '../../report/format';
import { isDivergence } from '../../train/divergence';
import { readCheckpoints } from '../checkpoint-files';
import type { Context, OpenEngine } from '../command';
import type { RunConfig } from '../run-config';
import { prepare, trainInto } from '../train-into';
import { Claims } from './claims';
import { type ExperimentFolder, goOnWith } from './folder';
import { armsLines } from './table';

export interface QueueEnd {
  results: ExperimentResults;
  /** the cells that could not come to an end, and why */
  failed: { id: string; why: string }[];
  stopped: boolean;
}

/** How often is looked whether other processes have come to an end, milliseconds. */
const LOOK = 2_000;

/** Runs what is left of an experiment. Whatever ends this process, what is done stays, and a new one goes on from there. */
export async function runCells(
  folder: ExperimentFolder,
  context: Context,
  options: { openEngine: () => Promise<OpenEngine>; acceptUnproven: boolean },
): Promise<QueueEnd> {
  const queue = new Queue(folder, context, options);
  try {
    return await queue.run();
  } finally {
    await queue.close();
  }
}

class Queue {
  private readonly claims: Claims;
  private readonly failed = new Map<string, string>();
  private readonly told = new Set<string>();
  private engine?: OpenEngine;
  private interrupt?: () => void;
  private isStopped = false;
  private outcomes: Outcomes = new Map();
  private readonly release: () => void;
  /** by this name the cells share their images */
  private readonly share: string = crypto.randomUUID();

  constructor(
    private readonly folder: ExperimentFolder,
    private readonly context: Context,
    private readonly options: { openEngine: () => Promise<OpenEngine>; acceptUnproven: boolean },
  ) {
    this.claims = new Claims(folder.claims);
    this.release = context.onInterrupt(
      () => {
        this.isStopped = true;
        context.note('Stopping: the run that goes on is saved; interrupt again to quit at once.');
        this.interrupt?.();
      },
      () => `To go on: ${goOnWith(folder.path)}`,
    );
  }

  async close(): Promise<void> {
    this.release();
    await this.engine?.close();
  }

  async run(): Promise<QueueEnd> {
    const { folder, context } = this;
    let results = await folder.writeResults();
    let table = '';
    while (!this.isStopped && !this.isHopeless) {
      const ended = await folder.endedCells();
      this.outcomes = await folder.outcomes();
      const states = this.states();
      const ready = readyCells(folder.cells, states);
      const taken = this.takeOne(ready);
      if (taken) {
        // the last table is the end's to tell
        if (table) context.note(table);
        try {
          // another process may have come to its end since the folder was read
          if (!(await folder.isOver(taken.cell))) await this.runCell(taken.cell, ended);
        } finally {
          taken.release();
        }
        results = await folder.writeResults();
        table = taken.cell.kind === 'run' ? armsLines(results) : '';
      } else if (ready.length > 0 || isWaiting(folder.cells, states)) {
        context.progress(
          `Waiting for other processes: ${this.outcomes.size} of ${folder.cells.length} runs are done`,
        );
        await sleep(LOOK);
      } else break;
    }
    context.progress('');
    results = await folder.writeResults();
    const failed = [...this.failed].map(([id, why]) => ({ id, why }));
    return { results, failed, stopped: this.isStopped };
  }

  /** Whether all that was tried failed for one reason, in two arms, and nothing has ended: the rest would fail so too. */
  private get isHopeless(): boolean {
    const arms = new Set(this.folder.cells.filter(({ id }) => this.failed.has(id)).map(({ arm }) => arm));
    return this.outcomes.size === 0 && arms.size > 1 && new Set(this.failed.values()).size === 1;
  }

  private states(): Map<string, CellState> {
    const { experiment, cells } = this.folder;
    const stateOf = (cell: Cell): CellState => {
      if (this.outcomes.has(cell.id)) return 'ended';
      if (this.failed.has(cell.id) || isWithoutRate(experiment, cell, this.outcomes)) return 'failed';
      return this.claims.isTaken(cell.id) ? 'claimed' : 'open';
    };
    return new Map(cells.map((cell) => [cell.id, stateOf(cell)]));
  }

  private takeOne(ready: readonly Cell[]): { cell: Cell; release: () => void } | undefined {
    for (const cell of ready) {
      const release = this.claims.take(cell.id);
      if (release) return { cell, release };
    }
    return undefined;
  }

  /** Trains a cell into its folder, from its newest checkpoint where there is one. */
  private async runCell(cell: Cell, ended: readonly EndedCell[]): Promise<void> {
    const { folder, context, options } = this;
    try {
      const config = configOf(folder, cell, this.outcomes);
      const prepared = await prepare(config, context);
      const out = folder.cellFolder(cell);
      const checkpoints = existsSync(join(out, 'config.json')) ? await readCheckpoints(out) : [];
      const resumes = checkpoints.length > 0;
      const job = { ...prepared.job, share: this.share, ...(resumes && { resume: { checkpoints } }) };
      this.engine ??= await options.openEngine();
      const api = this.watched(this.engine.api, cell, ended);
      await trainInto(
        { out, overwrite: true, resumes },
        { config, job },
        { ...this.engine, api },
        this.quiet(cell),
        options.acceptUnproven,
      );
      if (await folder.readEnded(cell)) await folder.tidy(cell);
      else if (!this.isStopped) this.fail(cell, 'it did not come to its end, see its report.json');
    } catch (error) {
      if (this.isStopped) return;
      if (cell.kind === 'search' && isDivergence(error)) {
        await folder.endDiverged(cell, error.message);
        context.note(`${cell.id} diverged, this rate is not taken: ${error.message}`);
        return;
      }
      // a mistake of ours ends the experiment; what a run cannot do ends that run
      if (!(error instanceof UserError)) throw error;
      this.fail(cell, error.message);
    }
  }

  private fail({ id }: Cell, why: string): void {
    const isNew = ![...this.failed.values()].includes(why);
    this.failed.set(id, why);
    this.context.note(isNew ? `${id} failed: ${why}` : `${id} failed too.`);
  }

  /** The context of a cell: of its many notes only warnings, each once. */
  private quiet({ id }: Cell): Context {
    return {
      ...this.context,
      note: (line) => {
        if (!line.startsWith('warning: ') || this.told.has(line)) return;
        this.told.add(line);
        this.context.note(`${id}: ${line}`);
      },
      progress: () => {},
      onInterrupt: (callback) => {
        this.interrupt = callback;
        if (this.isStopped) callback();
        return () => {
          this.interrupt = undefined;
        };
      },
    };
  }

  /** The engine, with the progress of the whole told beside the run's. */
  private watched(api: EngineApi, cell: Cell, ended: readonly EndedCell[]): EngineApi {
    return {
      ...api,
      train: (job, onEvent = () => {}) => {
        let steps = 0;
        return api.train(job, (event) => {
          if (event.type === 'plan') steps = event.steps;
          if (event.type === 'steps') this.tellProgress(cell, ended, event, steps);
          else if (event.type === 'phase') this.context.progress(`${this.place(cell)}: ${event.message}`);
          onEvent(event);
        });
      },
    };
  }

  private place({ id }: Cell): string {
    return `${this.outcomes.size + 1}/${this.folder.cells.length} ${id}`;
  }

  private tellProgress(
    cell: Cell,
    ended: readonly EndedCell[],
    { points, etaSeconds, imagesPerSecond }: Extract<TrainEvent, { type: 'steps' }>,
    steps: number,
  ): void {
    const last = points.at(-1);
    if (!last || steps === 0) return;
    const share = last.step / steps;
    const states = this.states();
    const running = new Map([[cell.id, share]]);
    for (const [id, state] of states) if (state === 'claimed' && id !== cell.id) running.set(id, 0.5);
    const times = ended.map(({ cell: { id }, run }) => ({ id, seconds: run.report.seconds }));
    const pace = share < 1 ? etaSeconds / ((1 - share) * cell.work) : undefined;
    const left = secondsLeft(this.folder.cells, states, { times, running, pace });
    this.context.progress(
      `${this.place(cell)}: step ${last.step}/${steps}, loss ${last.loss.toFixed(4)}, ${Math.round(imagesPerSecond)} images/s; all: ${left === undefined ? '' : `${duration(left)} left`}`,
    );
  }
}

/** What a cell's run is asked for. */
export function configOf(folder: ExperimentFolder, cell: Cell, outcomes: Outcomes): RunConfig {
  const { base, data, test } = folder.experiment;
  const settings = settingsOf(folder.experiment, cell, outcomes);
  const { network, weights, labels } = base;
  const start =
    cell.from === undefined ? { network, weights, labels } : { weights: folder.weightsOf(cell.from) };
  return { ...start, data, test, settings, home: process.cwd() };
}
