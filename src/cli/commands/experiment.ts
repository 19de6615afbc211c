import { join } from 'node:path';
import { UserError } from '../../errors';
import { type Experiment, parseExperiment } from '../../experiment/experiment';
import { experimentPresets } from '../../experiment/presets';
import { withoutRateSentences } from '../../report/experiment-words';
import { REPORT_PAGE } from '../../run/run-files';
import type { TrainSettings } from '../../train/settings';
import { type Args, type Command, type Context, INTERRUPTED, text } from '../command';
import {
  createExperimentFolder,
  type ExperimentFolder,
  extendExperiment,
  goOnWith,
  isExperiment,
  openExperimentFolder,
  RESULTS_FILE,
} from '../experiment/folder';
import { experimentOf, experimentOptions, nameOf, seedsOf } from '../experiment/read';
import { runCells } from '../experiment/run-cells';
import { armsLines } from '../experiment/table';
import { runtimeOptions } from '../options';
import { shellWord } from '../shell';
import { prepare } from '../train-into';

/** Options that an experiment that goes on takes. */
const BESIDE = ['resume', 'out', 'seeds', 'arms', 'runtime', 'accept-unproven'];

export const experiment: Command = {
  usage: 'experiment FILE|PRESET [options]',
  summary: `Several ways to train over several seeds, equal in all else, and what that shows: ${Object.keys(
    experimentPresets,
  ).join(', ')}, or a file of your own.`,
  positionals: ['FILE|PRESET'],
  options: {
    out: { type: 'string', value: 'DIR', help: 'folder of the results; default: runs/ and its name' },
    resume: {
      type: 'boolean',
      help: 'go on with what the folder holds, at the very step; a second process may do so beside the first',
    },
    ...experimentOptions,
    'accept-unproven': { type: 'boolean', help: 'write merged weights even where their proof fails' },
    ...runtimeOptions,
  },
  async run(args, context) {
    const folder = await folderOf(args, context);
    const { cells, path } = folder;
    context.note(`${path}: ${cells.length} runs, ${sizeText(folder.experiment)}`);
    const { results, failed, stopped } = await runCells(folder, context, {
      openEngine: () => context.openEngine({ host: text(args, 'runtime') ?? 'auto', install: true }),
      acceptUnproven: args.values['accept-unproven'] === true,
    });
    if (results.runs.length > 0) context.out(armsLines(results));
    const untrained = withoutRateSentences(results);
    for (const sentence of untrained) context.note(sentence);
    tellEnd(folder, { results, failed, stopped }, context);
    return failed.length + untrained.length > 0 ? 1 : stopped ? INTERRUPTED : 0;
  },
};

const sizeText = ({ arms, seeds, settings, lrSearch }: Experiment): string =>
  `${arms.length} arms x ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}, ${settings.epochs} ${settings.epochs === 1 ? 'epoch' : 'epochs'} each${lrSearch ? `, ${lrSearch.rates.length} rates tried for each arm` : ''}`;

function tellEnd(
  { path }: ExperimentFolder,
  { results, failed, stopped }: Awaited<ReturnType<typeof runCells>>,
  { note }: Context,
): void {
  const reasons = new Set(failed.map(({ why }) => why));
  for (const reason of reasons) {
    const ids = failed.filter(({ why }) => why === reason).map(({ id }) => id);
    note(`${ids.join(', ')} ${ids.length === 1 ? 'is' : 'are'} missing: ${reason}`);
  }
  if (results.unequal.length > 0)
    note(`warning: the arms differ in ${results.unequal.join(', ')}, which should be equal.`);
  note(
    `${join(path, REPORT_PAGE)} says what was shown and what not; ${join(path, RESULTS_FILE)} has every figure.`,
  );
  if (results.complete && !results.task)
    note(
      `refocus analyse ${shellWord(path)} adds calibration, robustness, sharpness and loss landscapes to its report.`,
    );
  if (stopped || failed.length > 0) note(`To go on: ${goOnWith(path)}`);
}

/** The folder of the experiment that the arguments name, new or to go on with. */
async function folderOf(args: Args, context: Context): Promise<ExperimentFolder> {
  const [named] = args.positionals;
  const isFolder = isExperiment(named);
  const resumes = args.values.resume === true;
  const out = text(args, 'out');
  if (isFolder && !resumes)
    throw new UserError(
      `${named} holds an experiment: go on with it by --resume; refocus report ${shellWord(named)} writes its report anew.`,
    );
  if (resumes) {
    const others = Object.keys(args.values).filter((name) => !BESIDE.includes(name));
    if (others.length > 0)
      throw new UserError(
        `${others.map((name) => `--${name}`).join(', ')} cannot go with --resume: an experiment goes on as it was begun (--seeds N and --arms A,B give it more).`,
      );
    const path = out ?? (isFolder ? named : join('runs', await nameOf(named)));
    const opened = await openExperimentFolder(path);
    const arms = text(args, 'arms')?.split(',') ?? [];
    const more = withMoreSeeds(withMoreArms(opened.experiment, arms), text(args, 'seeds'), path);
    return more === opened.experiment ? opened : extendExperiment(path, more);
  }
  const experiment = await experimentOf(args);
  await checkInputs(experiment, context);
  return createExperimentFolder(out ?? join('runs', experiment.name), experiment);
}

/**
 * Finds the files that all runs begin with, so that a mistake in a name ends the command before there is a folder of the experiment.
 * @throws UserError that names it
 */
async function checkInputs(
  { base: { network, weights, labels }, data, test, settings: shared }: Experiment,
  context: Context,
): Promise<void> {
  const isNew = network !== undefined && weights === undefined;
  const settings: TrainSettings = { ...shared, method: isNew ? 'retrain' : 'finetune' };
  await prepare({ network, weights, labels, data, test, settings, home: process.cwd() }, context);
  context.progress('');
}

/** Behind those that it has; one of the name of one is that. @throws UserError where there is no such arm */
function withMoreArms(experiment: Experiment, names: string[]): Experiment {
  const more = names.filter((name) => !experiment.arms.some((arm) => arm.name === name));
  if (more.length === 0) return experiment;
  return parseExperiment({ ...experiment, arms: [...experiment.arms, ...more] }, '--arms');
}

/** @throws UserError where there would be fewer */
function withMoreSeeds(experiment: Experiment, given: string | undefined, path: string): Experiment {
  if (given === undefined) return experiment;
  const seeds = seedsOf(given, experiment.seeds);
  if (seeds.length < experiment.seeds.length)
    throw new UserError(
      `The experiment of ${path} has ${experiment.seeds.length} seeds: --seeds ${seeds.length} would be fewer.`,
    );
  return { ...experiment, seeds };
}
