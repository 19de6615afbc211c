/** Experiments as commands name them: a preset, a file, and options that say otherwise. */
import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isBuiltinSet } from '../../data/builtin/builtin';
import { UserError } from '../../errors';
import { type Experiment, type ExperimentFile, parseExperiment } from '../../experiment/experiment';
import { experimentPresets } from '../../experiment/presets';
import { isAddress } from '../../remote/address';
import { parseField, whole } from '../../train/field';
import { parseSetting, type SettingName, settingNames } from '../../train/settings';
import { type Args, type OptionTable, text } from '../command';
import { runOptions } from '../commands/train';
import { readJson } from '../json-file';
import { givenSettings, inputPaths, modelOptions, settingOptions } from '../options';

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

/** What changes an experiment. */
export const experimentOptions: OptionTable = {
  seeds: { type: 'string', value: 'N', help: 'so many seeds; with --resume more than there were' },
  arms: { type: 'string', value: 'A,B,...', help: 'only these of its arms; with --resume these too' },
  'base-epochs': {
    type: 'string',
    value: 'N',
    help: 'epochs of the base, where the experiment trains it first',
    fallback: 'as the experiment says',
  },
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
};

/** The experiment that the arguments describe. */
export async function experimentOf(args: Args): Promise<Experiment> {
  const { value, name, home } = await readExperiment(args.positionals[0]);
  return parseExperiment(withOptions(value, args, home), name, givenSettings(args, shared));
}

/** The name of an experiment without any options. */
export async function nameOf(named: string): Promise<string> {
  const { value, name } = await readExperiment(named);
  return parseExperiment(value, name).name;
}

/** A preset, or a file. */
async function readExperiment(named: string): Promise<{ value: unknown; name: string; home: string }> {
  if (Object.hasOwn(experimentPresets, named))
    return { value: structuredClone(experimentPresets[named].experiment), name: named, home: '.' };
  if (!existsSync(named))
    throw new UserError(
      `${named} is neither a file nor an experiment that is there by name: ${Object.keys(experimentPresets).join(', ')}.`,
    );
  if (statSync(named).isDirectory())
    throw new UserError(
      `${named} is a folder that holds no experiment: name the file of one, or the folder of one that has begun.`,
    );
  return { value: await readJson(named), name: named, home: dirname(named) };
}

/** The first so many of the seeds, and after them the next numbers. */
export function seedsOf(given: string, seeds: readonly number[]): number[] {
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
  if (!weights && network && base.weights !== undefined)
    throw new UserError(
      `The experiment starts from ${base.weights}, which --arch alone would leave out: name weights of ${network.arch} with --weights, or leave --arch out.`,
    );
  const train = baseTraining(base.train, text(args, 'base-epochs'));
  if (weights && train !== base.train)
    throw new UserError(
      '--base-epochs trains the base, which --weights brings trained: leave one of them out.',
    );
  const ownData = args.values.data !== undefined;
  const arms = text(args, 'arms')?.split(',');
  const seeds = text(args, 'seeds');
  const rates = text(args, 'rates');
  const lrSearch = file.lrSearch ?? { rates: experimentPresets.reviewers.experiment.lrSearch?.rates };
  const searches = rates !== undefined || (args.values['lr-search'] ?? file.lrSearch !== undefined);
  const result: Record<string, unknown> = {
    ...file,
    base: hasBase
      ? {
          network,
          weights: weights && pathAt('.', weights),
          labels: labels && pathAt('.', labels),
          train: weights === undefined ? train : undefined,
        }
      : { ...base, train, weights: at(base.weights), labels: labels ? pathAt('.', labels) : at(base.labels) },
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

/** How the base is trained first, for so many epochs where they are given. */
function baseTraining(train: unknown, epochs: string | undefined): unknown {
  if (epochs === undefined) return train;
  if (typeof train !== 'object' || train === null)
    throw new UserError(
      '--base-epochs is for an experiment that trains its base first, and this one starts from what is trained: leave it out.',
    );
  return { ...train, epochs: parseSetting('epochs', epochs, '--base-epochs') };
}

/** Those of its arms, and others out of the table. */
const chosenArms = (arms: readonly unknown[], names: readonly string[]): unknown[] =>
  names.map(
    (name) => arms.find((arm) => arm === name || (arm as { name?: unknown } | null)?.name === name) ?? name,
  );

/** Absolute, so that the experiment goes on from any folder. */
const pathAt = (home: string, path: string): string =>
  isBuiltinSet(path) || isAddress(path) ? path : resolve(home, path);
