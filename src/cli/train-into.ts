/** A run with its files found, trained into a folder. */
import { basename, dirname, resolve } from 'node:path';
import type { ImageSetReport, Report, TrainEvent, TrainJob, TrainResult } from '../api';
import { isBuiltinSet } from '../data/builtin/builtin';
import { skippedCsv } from '../data/report';
import { Stopped } from '../errors';
import type { Tuning } from '../graph/tuning';
import { reportHtml } from '../report/report';
import { type NamedEval, REPORT_PAGE, type RunRedundancy } from '../run/run-files';
import { lowerRate } from '../train/divergence';
import type { Context, OpenEngine } from './command';
import { dataFrom, modelFrom } from './options';
import { describeEvents } from './progress';
import type { Teller } from './remote';
import type { RunConfig } from './run-config';
import { openRunFolder, type RunFolder, type RunFolderOptions } from './run-folder';
import { shellWord } from './shell';
import { readTunings, rememberTuning } from './tunings';

/** A run with its files found. */
export interface PreparedRun {
  config: RunConfig;
  job: TrainJob;
}

/** Finds a run's files, fetches those that are elsewhere; mistakes in their names show before an engine starts. */
export async function prepare(config: RunConfig, teller: Teller): Promise<PreparedRun> {
  const { settings } = config;
  const builtin = config.data.filter(isBuiltinSet);
  const test = config.test ?? (builtin.length > 0 ? builtin : undefined);
  const job = {
    model: await modelFrom(config, teller, settings.method === 'retrain' ? settings.seed : undefined),
    train: await dataFrom(config.data, 'train', teller),
    test: test && (await dataFrom(test, 'test', teller)),
    settings,
  };
  return { config, job };
}

/** What a finished run leaves. */
export interface TrainedRun {
  report: Report;
  folder: string;
  /** path of the merged weights; absent where they were not proven and not accepted */
  merged?: string;
}

/** What an interrupt is answered, by what the run has to lose. */
const INTERRUPTED = {
  none: 'Stopping before the first step',
  'going on': 'Stopping: the work so far is merged and saved',
  done: 'The training is over and its work is being saved',
};

/** How the closing sentence begins; what went wrong has been told. */
const ENDINGS: Record<Report['ended'], string> = {
  finished: '',
  stopped: 'Stopped early. ',
  early: 'Ended early, no better for as many epochs as --patience says. ',
  diverged: 'Ended at the last good epoch. ',
  failed: 'Ended at the last good epoch. ',
};

/** Trains into a folder: config.json first, metrics.jsonl on the way, the weights and report.json at the end. */
export async function trainInto(
  out: Pick<RunFolderOptions, 'out' | 'overwrite' | 'resumes'>,
  { config, job }: PreparedRun,
  engine: OpenEngine,
  context: Context,
  acceptUnproven: boolean,
): Promise<TrainedRun> {
  const folder = await openRunFolder({ ...out, method: job.settings.method, config, note: context.note });
  const describe = describeEvents(context.progress, context.note);
  const told = new Told();
  const kept = () => folder.checkpoints.newest && `What was trained is kept: ${goOnWith(folder)}`;
  const release = context.onInterrupt(() => {
    context.note(`${INTERRUPTED[told.work]}; interrupt again to quit at once.`);
    engine.api.cancel().catch((error: unknown) => context.note(String(error)));
  }, kept);
  try {
    const tunings = job.settings.autotune ? await readTunings() : undefined;
    const result = await engine.api.train({ ...job, tunings }, (event) => {
      folder.record(event);
      told.add(event);
      describe(event);
    });
    if (told.tuned) await remember(told.tuned, context);
    context.progress('');
    const { skipped, evals, redundancy } = told;
    if (skipped.length > 0) await folder.writeText('skipped.csv', skippedCsv(skipped));
    const name = basename(resolve(folder.path));
    const merged = await writeWeights(folder, job, result, acceptUnproven, context);
    await folder.writeText(REPORT_PAGE, reportHtml([{ name, ...result, evals, redundancy }]));
    // last: a run that has a report has all of its results
    await folder.writeJson('report.json', result.report);
    if (merged !== undefined) await tellEnd(folder, merged, result.report, context);
    return { report: result.report, folder: folder.path, merged };
  } catch (error) {
    await folder.checkpoints.settle();
    const sentence = kept();
    if (!sentence) throw error;
    if (error instanceof Stopped) throw new Stopped(`Stopped. ${sentence}`);
    context.note(sentence);
    throw error;
  } finally {
    release();
    await folder.close();
  }
}

const goOnWith = ({ path }: RunFolder) => `refocus train --resume ${shellWord(path)}`;

/** What a run told on its way, as far as its results need it. */
class Told {
  work: keyof typeof INTERRUPTED = 'none';
  tuned?: { key: string; tuning: Tuning };
  readonly skipped: ImageSetReport['skipped'] = [];
  evals: NamedEval[] = [];
  readonly redundancy: RunRedundancy = { before: [], after: [] };

  add(event: TrainEvent): void {
    if (event.type === 'eval') this.evals.push(event);
    if (event.type === 'resumed') {
      const epochs = event.evals.map((point): NamedEval => ({ which: 'epoch', point }));
      this.evals = [...this.evals.filter(({ which }) => which === 'base'), ...epochs];
    }
    if (event.type === 'redundancy' && event.when !== 'now') this.redundancy[event.when] = event.layers;
    if (event.type === 'steps') this.work = 'going on';
    if (event.type === 'phase' && event.phase === 'merge') this.work = 'done';
    if (event.type === 'data') this.skipped.push(...event.reports.flatMap((report) => report.skipped));
    if (event.type === 'tuned') this.tuned = { key: event.key, tuning: event.timed[0].tuning };
  }
}

async function remember({ key, tuning }: { key: string; tuning: Tuning }, context: Context): Promise<void> {
  await rememberTuning(key, tuning).catch((error: Error) =>
    context.note(`warning: the tuning could not be remembered (${error.message})`),
  );
}

/** @returns path of the merged weights; undefined where they were not proven and not accepted, which is told */
async function writeWeights(
  folder: RunFolder,
  { settings }: TrainJob,
  { merged, best, files, report: { proof } }: TrainResult,
  acceptUnproven: boolean,
  { note }: Context,
): Promise<string | undefined> {
  if (proof.images === 0 && !acceptUnproven) {
    // no device was left to compare on: the work is kept, under names that say so
    const unproven = await folder.writeBytes('merged.unproven.safetensors', merged);
    await folder.writeBytes('best.unproven.safetensors', best);
    note(
      `The merged network could not be compared with the trained one; check ${unproven} with \`refocus eval\`.`,
    );
    return undefined;
  }
  if (!proof.ok && !acceptUnproven) {
    note(
      `The merged network differs from the trained one (relative ${proof.maxRelLogitDiff}, agreement ` +
        `${proof.top1Agreement}), so its weights are not written; --accept-unproven writes them all the same.`,
    );
    return undefined;
  }
  let written = '';
  if (settings.format !== 'pth') {
    written = await folder.writeBytes('merged.safetensors', merged);
    await folder.writeBytes('best.safetensors', best);
  }
  for (const { name, bytes } of files) {
    const path = await folder.writeBytes(name, bytes);
    if (name === 'merged.pth' && written === '') written = path;
  }
  return written;
}

/** The closing sentences of a run whose weights are written. */
async function tellEnd(folder: RunFolder, merged: string, report: Report, context: Context): Promise<void> {
  const { ended, evaluation, uncertainty, network, settings } = report;
  const { note } = context;
  const { last } = evaluation;
  if (last)
    note(
      `${last.wrong.length} test images are told wrong, mean F1 of the classes ${last.macro.f1.toFixed(3)}: predictions.csv, and class by class report.json`,
    );
  if (network.newHead && (settings.method === 'refocus' || settings.method === 'joint'))
    note(
      'The classifier is new, so there is no accuracy of before: fine-tuning as long (--method finetune), with the same seed, is the comparison.',
    );
  const flips = uncertainty.flips?.last;
  if (flips)
    note(
      `Of ${uncertainty.images} test images ${flips.gained} are gained and ${flips.lost} lost against the network as it was loaded (McNemar's test, p = ${flips.p.toPrecision(2)}).`,
    );
  const isThere = resolve(dirname(merged)) === resolve(folder.path);
  const what = isThere ? 'Merged weights, metrics' : `The merged weights are ${merged}, metrics`;
  note(`${ENDINGS[ended]}${what} and report are in ${folder.path}`);
  await tellCheckpoint(folder, report, context);
}

/** What a run's checkpoint is good for after its end. Of a finished one the older is not needed any more. */
async function tellCheckpoint(
  folder: RunFolder,
  { ended, settings: { lr } }: Pick<Report, 'ended' | 'settings'>,
  { note }: Context,
): Promise<void> {
  const { checkpoints } = folder;
  const goOn = goOnWith(folder);
  if (ended === 'stopped' || ended === 'failed') {
    await checkpoints.settle();
    if (checkpoints.newest) note(`To go on: ${goOn}`);
  } else if (ended === 'diverged') {
    await checkpoints.settle();
    if (checkpoints.newest) note(`To go on from its last good epoch: ${goOn} --lr ${lowerRate(lr)}`);
  } else {
    const bytes = await checkpoints.keepNewest();
    if (bytes !== undefined)
      note(
        `${checkpoints.newest} (${(bytes / 1e6).toFixed(1)} MB) is there to train longer from: ${goOn} --epochs N --extend stretch, or restart; else it may be deleted.`,
      );
  }
}
