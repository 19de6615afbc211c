import { EXAMPLE_SET } from '../../data/builtin/builtin';
import { UserError } from '../../errors';
import { presetSettings, presets } from '../../train/presets';
import { extensions } from '../../train/schedule';
import { parseSettings } from '../../train/settings';
import { type Args, type Command, type Context, INTERRUPTED, type OptionTable, text } from '../command';
import {
  givenSettings,
  inputPaths,
  modelOptions,
  optionLabel,
  runtimeOptions,
  settingOptions,
} from '../options';
import { type RunConfig, readConfigFile } from '../run-config';
import { readSavedRun, type SavedFolder } from '../saved-run';
import { shellWord } from '../shell';
import { type PreparedRun, prepare, trainInto } from '../train-into';

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
        `The run of ${saved.folder} is finished, its results are there. To train it longer: refocus train --resume ${shellWord(saved.folder)} --epochs ${saved.config.settings.epochs + 1} --extend stretch, or restart.`,
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
      if (merged === undefined) return 1;
      return report.ended === 'stopped' ? INTERRUPTED : 0;
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
