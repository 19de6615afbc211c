import { basename, dirname, resolve } from 'node:path';
import type { ImageSetReport, Report, TrainJob } from '../../api';
import { EXAMPLE_SET, isBuiltinSet } from '../../data/builtin/builtin';
import { skippedCsv } from '../../data/report';
import { UserError } from '../../errors';
import type { Tuning } from '../../graph/tuning';
import { reportHtml } from '../../report/report';
import { type NamedEval, REPORT_PAGE, type RunRedundancy } from '../../run/run-files';
import { lowerRate } from '../../train/divergence';
import { presetSettings, presets } from '../../train/presets';
import { extensions } from '../../train/schedule';
import { parseSettings } from '../../train/settings';
import { type Args, type Command, type Context, type OpenEngine, type OptionTable, text } from '../command';
import {
  dataFrom,
  givenSettings,
  inputPaths,
  modelFrom,
  modelOptions,
  optionLabel,
  runtimeOptions,
  settingOptions,
} from '../options';
import { describeEvents } from '../progress';
import type { Teller } from '../remote';
import { type RunConfig, readConfigFile } from '../run-config';
import { openRunFolder, type RunFolder, type RunFolderOptions } from '../run-folder';
import { readSavedRun, type SavedFolder } from '../saved-run';
import { readTunings, rememberTuning } from '../tunings';

/** What says what a run trains, and how. */
export const runOptions: OptionTable = {
  ...modelOptions,
  data: {
    type: 'string',
    multiple: true,
    value: 'PATH',
    help: 'training images: an archive, a folder, the address of an archive (https://..., hf:datasets/owner/name), builtin (those of the built-in network) or builtin-camera (few, by another camera); files may have the parts train, val and test',
    fallback: EXAMPLE_SET,
  },
  test: {
    type: 'string',
    multiple: true,
    value: 'PATH',
    help: 'test images; default: the part val or test of the data, else some of each class (--val)',
  },
  ...settingOptions(),
  preset: {
    type: 'string',
    value: Object.keys(presets).join('|'),
    help: 'settings that belong together (docs/method.md); other options override them',
  },
  config: {
    type: 'string',
    value: 'FILE',
    help: 'config.json of an earlier run; other options override it',
  },
};

export const train: Command = {
  usage: 'train [options]',
  summary:
    'Trains a network, merges it and proves the merge; without options the built-in network on the built-in data.',
  positionals: [],
  options: {
    ...runOptions,
    out: { type: 'string', value: 'DIR', help: 'folder of the results; default: a new one below runs/' },
    overwrite: { type: 'boolean', help: 'write into an --out that holds something already' },
    resume: {
      type: 'string',
      value: 'DIR',
      help: 'go on with the run of that folder, bit for bit on the same GPU (docs/runs.md); no other settings go with it',
    },
    extend: {
      type: 'string',
      value: extensions.join('|'),
      help: 'with --resume and more --epochs: learning rate as if there had been so many from the start, or from the top again',
    },
    'accept-unproven': { type: 'boolean', help: 'write the merged weights even where the proof fails' },
    ...runtimeOptions,
  },
  async run(args, context) {
    const saved = args.values.resume === undefined ? undefined : await readSavedRun(args);
    if (saved?.isOver) {
      context.note(
        `The run of ${saved.folder} is finished, its results are there. To train it longer: refocus train --resume ${saved.folder} --epochs ${saved.config.settings.epochs + 1} --extend stretch, or restart.`,
      );
      return 0;
    }
    if (!saved && args.values.extend !== undefined) throw new UserError('--extend goes with --resume DIR.');
    const prepared = saved
      ? await prepareSaved(saved, context)
      : await prepare(await readConfig(args), context);
    const engine = await context.openEngine({ host: text(args, 'runtime') ?? 'auto' });
    try {
      const accept = args.values['accept-unproven'] === true;
      const out = saved
        ? { out: saved.folder, overwrite: true, resumes: true }
        : { out: text(args, 'out'), overwrite: args.values.overwrite === true };
      const { report, merged } = await trainInto(out, prepared, engine, context, accept);
      // class by class it stands in report.json: too long for a line
      context.out(JSON.stringify({ ...report, evaluation: undefined }));
      return merged === undefined ? 1 : 0;
    } finally {
      await engine.close();
    }
  },
};

/** The run that the arguments describe, on top of the one that `--config` names. */
export async function readConfig(args: Args): Promise<RunConfig> {
  const file = text(args, 'config');
  const earlier = file === undefined ? undefined : await readConfigFile(file);
  const given = inputPaths(args);
  const preset = text(args, 'preset');
  const chosen = preset === undefined ? {} : presetSettings(preset, '--preset');
  const settings = parseSettings({ ...earlier?.settings, ...chosen, ...givenSettings(args) }, optionLabel);
  return {
    network: given.network ?? earlier?.network,
    weights: given.weights ?? earlier?.weights,
    labels: given.labels ?? earlier?.labels,
    data: args.values.data === undefined && earlier ? earlier.data : given.data,
    test: given.test ?? earlier?.test,
    settings,
    home: process.cwd(),
  };
}

async function remember({ key, tuning }: { key: string; tuning: Tuning }, context: Context): Promise<void> {
  await rememberTuning(key, tuning).catch((error: Error) =>
    context.note(`warning: the tuning could not be remembered (${error.message})`),
  );
}

/** What a finished run leaves. */
export interface TrainedRun {
  report: Report;
  folder: string;
  /** path of the merged weights; absent where they were not proven and not accepted */
  merged?: string;
}

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

/** A saved run from its newest checkpoint, or from its beginning where there is none yet. */
async function prepareSaved(
  { folder, config, checkpoints, rate }: SavedFolder,
  context: Context,
): Promise<PreparedRun> {
  if (checkpoints.length === 0) context.note(`${folder} has no checkpoint yet: the run begins again.`);
  try {
    const { job } = await prepare(config, context);
    const resume = { checkpoints, extend: config.extend, rate };
    return { config, job: checkpoints.length === 0 ? job : { ...job, resume } };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`The run of ${folder} needs what it was begun with. ${error.message}`);
  }
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
  let work: keyof typeof INTERRUPTED = 'none';
  const release = context.onInterrupt(() => {
    context.note(`${INTERRUPTED[work]}; interrupt again to quit at once.`);
    engine.api.cancel().catch((error: unknown) => context.note(String(error)));
  });
  const goOn = `refocus train --resume ${folder.path}`;
  try {
    let found: { key: string; tuning: Tuning } | undefined;
    const skipped: ImageSetReport['skipped'] = [];
    let evals: NamedEval[] = [];
    const redundancy: RunRedundancy = { before: [], after: [] };
    const tunings = job.settings.autotune ? await readTunings() : undefined;
    const result = await engine.api.train({ ...job, tunings }, (event) => {
      folder.record(event);
      if (event.type === 'eval') evals.push(event);
      if (event.type === 'resumed') {
        const epochs = event.evals.map((point): NamedEval => ({ which: 'epoch', point }));
        evals = [...evals.filter(({ which }) => which === 'base'), ...epochs];
      }
      if (event.type === 'redundancy' && event.when !== 'now') redundancy[event.when] = event.layers;
      if (event.type === 'steps') work = 'going on';
      if (event.type === 'phase' && event.phase === 'merge') work = 'done';
      if (event.type === 'data') skipped.push(...event.reports.flatMap((report) => report.skipped));
      describe(event);
      if (event.type === 'tuned') found = { key: event.key, tuning: event.timed[0].tuning };
    });
    if (found) await remember(found, context);
    context.progress('');
    if (skipped.length > 0) await folder.writeText('skipped.csv', skippedCsv(skipped));
    // last: a run that has a report has all of its results
    const report = async () => {
      await folder.writeText(
        REPORT_PAGE,
        reportHtml([{ name: basename(resolve(folder.path)), ...result, evals, redundancy }]),
      );
      await folder.writeJson('report.json', result.report);
    };
    const { proof } = result.report;
    if (proof.images === 0 && !acceptUnproven) {
      // no device was left to compare on: the work is kept, under names that say so
      const unproven = await folder.writeBytes('merged.unproven.safetensors', result.merged);
      await folder.writeBytes('best.unproven.safetensors', result.best);
      context.note(
        `The merged network could not be compared with the trained one; check ${unproven} with \`refocus eval\`.`,
      );
      await report();
      return { report: result.report, folder: folder.path };
    }
    if (!proof.ok && !acceptUnproven) {
      context.note(
        `The merged network differs from the trained one (relative ${proof.maxRelLogitDiff}, agreement ` +
          `${proof.top1Agreement}), so its weights are not written; --accept-unproven writes them all the same.`,
      );
      await report();
      return { report: result.report, folder: folder.path };
    }
    let merged = '';
    if (job.settings.format !== 'pth') {
      merged = await folder.writeBytes('merged.safetensors', result.merged);
      await folder.writeBytes('best.safetensors', result.best);
    }
    for (const { name, bytes } of result.files) {
      const path = await folder.writeBytes(name, bytes);
      if (name === 'merged.pth' && merged === '') merged = path;
    }
    await report();
    const { last } = result.report.evaluation;
    if (last) {
      context.note(
        `${last.wrong.length} test images are told wrong, mean F1 of the classes ${last.macro.f1.toFixed(3)}: predictions.csv, and class by class report.json`,
      );
    }
    const { ended, uncertainty, network, settings } = result.report;
    if (network.newHead && (settings.method === 'refocus' || settings.method === 'joint'))
      context.note(
        'The classifier is new, so there is no accuracy of before: fine-tuning as long (--method finetune), with the same seed, is the comparison.',
      );
    const flips = uncertainty.flips?.last;
    if (flips)
      context.note(
        `Of ${uncertainty.images} test images ${flips.gained} are gained and ${flips.lost} lost against the network as it was loaded (McNemar's test, p = ${flips.p.toPrecision(2)}).`,
      );
    const isThere = resolve(dirname(merged)) === resolve(folder.path);
    const what = isThere ? 'Merged weights, metrics' : `The merged weights are ${merged}, metrics`;
    context.note(`${ENDINGS[ended]}${what} and report are in ${folder.path}`);
    await tellCheckpoint(folder, result.report, goOn, context);
    return { report: result.report, folder: folder.path, merged };
  } catch (error) {
    await folder.checkpoints.settle();
    if (folder.checkpoints.newest) context.note(`What was trained is kept: ${goOn}`);
    throw error;
  } finally {
    release();
    await folder.close();
  }
}

/** What a run's checkpoint is good for after its end. Of a finished one the older is not needed any more. */
async function tellCheckpoint(
  { checkpoints }: RunFolder,
  { ended, settings: { lr } }: Pick<Report, 'ended' | 'settings'>,
  goOn: string,
  { note }: Context,
): Promise<void> {
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
