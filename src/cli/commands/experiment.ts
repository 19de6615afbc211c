import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isBuiltinSet } from '../../data/builtin/builtin';
import { UserError } from '../../errors';
import { type Experiment, type ExperimentFile, parseExperiment } from '../../experiment/experiment';
import { experimentPresets } from '../../experiment/presets';
import { isAddress } from '../../remote/address';
import { REPORT_PAGE } from '../../run/run-files';
import { parseField, whole } from '../../train/field';
import { type SettingName, settingNames } from '../../train/settings';
import { type Args, type Command, type Context, text } from '../command';
import {
  createExperimentFolder,
  type ExperimentFolder,
  extendExperiment,
  isExperiment,
  openExperimentFolder,
  RESULTS_FILE,
} from '../experiment/folder';
import { runCells } from '../experiment/run-cells';
import { armsLines } from '../experiment/table';
import { readJson } from '../json-file';
import { givenSettings, inputPaths, modelOptions, runtimeOptions, settingOptions } from '../options';
import { runOptions } from './train';

/** Arms, seeds and searches say these. */
const DECIDED: readonly SettingName[] = [
  'method',
  'seed',
  'imageSeed',
  'validate',
  'validationShare',
  'patience',
];
const shared = settingNames.filter((name) => !DECIDED.includes(name));

/** Options that an experiment that goes on takes. */
const BESIDE = ['resume', 'out', 'seeds', 'runtime', 'accept-unproven'];

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
    seeds: { type: 'string', value: 'N', help: 'so many seeds; with --resume more than there were' },
    arms: { type: 'string', value: 'A,B,...', help: 'only these of its arms' },
    rates: { type: 'string', value: 'X,Y,...', help: 'rates that are tried for each arm' },
    'lr-search': {
      type: 'boolean',
      help: "search for each arm's rate on training images that are held out",
      fallback: 'as the experiment says',
    },
    ...modelOptions,
    data: { ...runOptions.data, fallback: undefined },
    test: runOptions.test,
    ...settingOptions(shared),
    'accept-unproven': { type: 'boolean', help: 'write merged weights even where their proof fails' },
    ...runtimeOptions,
  },
  async run(args, context) {
    const folder = await folderOf(args);
    const { cells, path } = folder;
    context.note(`${path}: ${cells.length} runs, ${sizeText(folder.experiment)}`);
    const { results, failed, stopped } = await runCells(folder, context, {
      openEngine: () => context.openEngine({ host: text(args, 'runtime') ?? 'auto', install: true }),
      acceptUnproven: args.values['accept-unproven'] === true,
    });
    if (results.runs.length > 0) context.out(armsLines(results));
    tellEnd(folder, { results, failed, stopped }, context);
    return failed.length > 0 ? 1 : stopped ? 130 : 0;
  },
};

const sizeText = ({ arms, seeds, settings, lrSearch }: Experiment): string =>
  `${arms.length} arms x ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}, ${settings.epochs} ${settings.epochs === 1 ? 'epoch' : 'epochs'} each${lrSearch ? `, ${lrSearch.rates.length} rates tried for each arm` : ''}`;

function tellEnd(
  { path }: ExperimentFolder,
  { results, failed, stopped }: Awaited<ReturnType<typeof runCells>>,
  { note }: Context,
): void {
  for (const { id, why } of failed) note(`${id} is missing: ${why}`);
  if (results.unequal.length > 0)
    note(`warning: the arms differ in ${results.unequal.join(', ')}, which should be equal.`);
  note(
    `${join(path, REPORT_PAGE)} says what was shown and what not; ${join(path, RESULTS_FILE)} has every figure.`,
  );
  if (stopped || failed.length > 0) note(`To go on: refocus experiment ${path} --resume`);
}

/** The folder of the experiment that the arguments name, new or to go on with. */
async function folderOf(args: Args): Promise<ExperimentFolder> {
  const [named] = args.positionals;
  const isFolder = isExperiment(named);
  const resumes = args.values.resume === true;
  const out = text(args, 'out');
  if (isFolder && !resumes)
    throw new UserError(
      `${named} holds an experiment: go on with it by --resume; refocus report ${named} writes its report anew.`,
    );
  if (resumes) {
    const others = Object.keys(args.values).filter((name) => !BESIDE.includes(name));
    if (others.length > 0)
      throw new UserError(
        `${others.map((name) => `--${name}`).join(', ')} cannot go with --resume: an experiment goes on as it was begun (--seeds N gives it more).`,
      );
    const path = out ?? (isFolder ? named : join('runs', await nameOf(named)));
    const opened = await openExperimentFolder(path);
    const seeds = text(args, 'seeds');
    if (seeds === undefined) return opened;
    return withMoreSeeds(opened, seedsOf(seeds, opened.experiment.seeds));
  }
  const { value, name, home } = await readExperiment(named);
  const given = withOptions(value, args, home);
  const experiment = parseExperiment(given, name, givenSettings(args, shared));
  return createExperimentFolder(out ?? join('runs', experiment.name), experiment);
}

/** @throws UserError where there would be fewer */
async function withMoreSeeds(folder: ExperimentFolder, seeds: number[]): Promise<ExperimentFolder> {
  const { experiment, path } = folder;
  if (seeds.length < experiment.seeds.length)
    throw new UserError(
      `The experiment of ${path} has ${experiment.seeds.length} seeds: --seeds ${seeds.length} would be fewer.`,
    );
  return extendExperiment(path, { ...experiment, seeds });
}

/** A preset, or a file. */
async function readExperiment(named: string): Promise<{ value: unknown; name: string; home: string }> {
  if (Object.hasOwn(experimentPresets, named))
    return { value: structuredClone(experimentPresets[named].experiment), name: named, home: '.' };
  if (!existsSync(named))
    throw new UserError(
      `${named} is neither a file nor an experiment that is there by name: ${Object.keys(experimentPresets).join(', ')}.`,
    );
  return { value: await readJson(named), name: named, home: dirname(named) };
}

async function nameOf(named: string): Promise<string> {
  const { value, name } = await readExperiment(named);
  return parseExperiment(value, name).name;
}

/** The first so many of the seeds, and after them the next numbers. */
function seedsOf(given: string, seeds: readonly number[]): number[] {
  const count = parseField(whole(1, 100), given, '--seeds');
  const found = seeds.slice(0, count);
  for (let next = 0; found.length < count; next++) if (!seeds.includes(next)) found.push(next);
  return found;
}

const numbersOf = (given: string, option: string): number[] =>
  given.split(',').map((part) => {
    const number = Number(part);
    if (part.trim() === '' || !Number.isFinite(number))
      throw new UserError(`${option} must be numbers with commas between them, not "${given}".`);
    return number;
  });

/** An experiment's file with what the command line says otherwise; paths of the file begin at its folder. */
function withOptions(value: unknown, args: Args, home: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const file = value as Partial<ExperimentFile>;
  const { network, weights, labels, data, test } = inputPaths(args);
  const at = (path: unknown) => (typeof path === 'string' ? pathAt(home, path) : path);
  const all = (paths: unknown) => (Array.isArray(paths) ? paths.map(at) : paths);
  const base = (file.base ?? {}) as Record<string, unknown>;
  const hasBase = network !== undefined || weights !== undefined;
  const ownData = args.values.data !== undefined;
  const arms = text(args, 'arms')?.split(',');
  const seeds = text(args, 'seeds');
  const rates = text(args, 'rates');
  const lrSearch = file.lrSearch ?? { rates: experimentPresets.reviewers.experiment.lrSearch?.rates };
  const searches = rates !== undefined || (args.values['lr-search'] ?? file.lrSearch !== undefined);
  const result: Record<string, unknown> = {
    ...file,
    base: hasBase
      ? { network, weights: weights && pathAt('.', weights), labels: labels && pathAt('.', labels) }
      : { ...base, weights: at(base.weights), labels: at(base.labels) },
    data: ownData ? data.map((path) => pathAt('.', path)) : all(file.data),
    test: ownData || test ? test?.map((path) => pathAt('.', path)) : all(file.test),
    arms: arms && Array.isArray(file.arms) ? chosenArms(file.arms, arms) : file.arms,
    reference: arms && !arms.includes(file.reference ?? '') ? undefined : file.reference,
    seeds: seeds !== undefined && Array.isArray(file.seeds) ? seedsOf(seeds, file.seeds) : file.seeds,
    lrSearch: searches ? { ...lrSearch, ...(rates && { rates: numbersOf(rates, '--rates') }) } : undefined,
  };
  // what is absent must not look as if it were there
  return JSON.parse(JSON.stringify(result));
}

/** Those of its arms, and others out of the table. */
const chosenArms = (arms: readonly unknown[], names: readonly string[]): unknown[] =>
  names.map(
    (name) => arms.find((arm) => arm === name || (arm as { name?: unknown } | null)?.name === name) ?? name,
  );

/** Absolute, so that the experiment goes on from any folder. */
const pathAt = (home: string, path: string): string =>
  isBuiltinSet(path) || isAddress(path) ? path : resolve(home, path);
