/** The run of a folder, to go on with: `train --resume DIR`. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Report, UserFile } from '../api';
import { isBuiltinSet } from '../data/builtin/builtin';
import { UserError } from '../errors';
import { isAddress } from '../remote/address';
import { openBundle } from '../run/bundle';
import { type Extension, extensions } from '../train/schedule';
import { parseSetting } from '../train/settings';
import { readCheckpoints } from './checkpoint-files';
import { type Args, text } from './command';
import { kindOf, readUserFile } from './files';
import { type RunConfig, readConfigFile } from './run-config';
import { shellWord } from './shell';

/** Options that go with --resume: all else is as the run was begun. */
const BESIDE = ['resume', 'epochs', 'extend', 'lr', 'runtime', 'accept-unproven'];

export interface SavedFolder {
  folder: string;
  config: RunConfig;
  checkpoints: UserFile[];
  /** the learning rate that it goes on with, where that is another one */
  rate?: number;
  /** whether all of its epochs are over, or it has ended early by itself */
  isOver: boolean;
}

/**
 * Reads the run of the folder that `--resume` names, with the epochs that are asked for.
 * @throws UserError where there is none, or where options are given that would make another run of it
 */
export async function readSavedRun(args: Args): Promise<SavedFolder> {
  const folder = await unpacked(text(args, 'resume')!);
  const others = Object.keys(args.values).filter((name) => !BESIDE.includes(name));
  if (others.length > 0)
    throw new UserError(
      `${others.map((name) => `--${name}`).join(', ')} cannot go with --resume: a run goes on as it was begun (--epochs N --extend HOW makes it longer, --lr sets the rate that is left). For another run with its settings name --config ${shellWord(join(folder, 'config.json'))}.`,
    );
  const file = join(folder, 'config.json');
  if (!existsSync(file))
    throw new UserError(`${folder} holds no run (no config.json): name the folder of one.`);
  const begun = await readConfigFile(file);
  const checkpoints = await readCheckpoints(folder);
  const ended = await endOf(folder);
  if (checkpoints.length === 0 && ended)
    throw new UserError(
      `${folder} holds no checkpoint to go on from: start a run from its weights with --weights.`,
    );
  const config = longer(atHome(begun), args);
  const lr = text(args, 'lr');
  const rate = lr === undefined ? undefined : rateOf(lr);
  if (rate !== undefined && checkpoints.length === 0)
    throw new UserError(`${folder} has no checkpoint yet: start it anew with --lr ${lr}.`);
  const isLonger = config.settings.epochs > begun.settings.epochs;
  return {
    folder,
    config,
    checkpoints,
    rate,
    isOver: !isLonger && (ended === 'finished' || ended === 'early'),
  };
}

function rateOf(lr: string): number {
  const rate = parseSetting('lr', lr, '--lr');
  if (rate === 'auto') throw new UserError('--lr of a run that goes on is a number.');
  return rate;
}

/** The folder of a run; a bundle is unpacked beside itself first. */
async function unpacked(path: string): Promise<string> {
  if (!existsSync(path) || (await kindOf(path)) === 'folder') return path;
  const bundle = await openBundle(await readUserFile(path));
  const folder = path.replace(/\.zip$/i, '');
  if (existsSync(folder))
    throw new UserError(
      `${path} would be unpacked into ${folder}, which is there already: name that folder, or move it.`,
    );
  await mkdir(folder, { recursive: true });
  for (const name of bundle.names)
    await writeFile(join(folder, name), new Uint8Array(await (await bundle.open(name))!.arrayBuffer()));
  return folder;
}

/** Paths as they were meant where the run was begun. */
function atHome({ home = '.', ...config }: RunConfig): RunConfig {
  const path = (given: string) => (isBuiltinSet(given) || isAddress(given) ? given : resolve(home, given));
  return {
    ...config,
    home,
    weights: config.weights && path(config.weights),
    labels: config.labels && path(config.labels),
    data: config.data.map(path),
    test: config.test?.map(path),
  };
}

function longer(config: RunConfig, args: Args): RunConfig {
  const given = text(args, 'epochs');
  const extend = text(args, 'extend');
  if (given === undefined && extend === undefined) return config;
  const had = config.settings.epochs;
  const epochs = given === undefined ? had : parseSetting('epochs', given, '--epochs');
  const how = extensions.find((name) => name === extend);
  if (extend !== undefined && !how)
    throw new UserError(`--extend must be one of ${extensions.join(', ')}, not "${extend}".`);
  if (epochs < had)
    throw new UserError(`The run has ${had} epochs already: --epochs ${epochs} must be above.`);
  if (epochs > had !== (how !== undefined))
    throw new UserError(
      `--epochs N (above ${had}) and --extend go together: stretch (the learning rate as if the run had been to have N epochs from the start) or restart (from the highest rate again, over the epochs that are left).`,
    );
  return { ...config, settings: { ...config.settings, epochs }, extend: how as Extension | undefined };
}

async function endOf(folder: string): Promise<Report['ended'] | undefined> {
  try {
    return (JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as Report).ended;
  } catch {
    return undefined;
  }
}
