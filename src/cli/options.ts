/** Options that several commands share, and what they mean to the engine. */
import { readFileSync } from 'node:fs';
import type { DataSource, ModelSource } from '../api';
import { EXAMPLE_SET, isBuiltinSet } from '../data/builtin/builtin';
import { UserError } from '../errors';
import { readLabels } from '../run/labels';
import {
  type NetworkField,
  type NetworkOptions,
  namedNetwork,
  networkFields,
  networkOptionNames,
  parseNetworkOptions,
} from '../run/network-options';
import { recogniseFiles } from '../run/own-network';
import { fieldText } from '../train/field';
import {
  parseSetting,
  type SettingName,
  settingFields,
  settingGroups,
  settingNames,
} from '../train/settings';
import { type Args, type OptionTable, text, texts } from './command';
import { readUserFile, readUserFiles, readWeightFiles, said } from './files';
import type { Teller } from './remote';

/** `weightDecay` -> `weight-decay` */
export const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** How messages call a setting or network option. */
export const optionLabel = (name: string): string => `--${kebab(name)}`;

export const runtimeOptions: OptionTable = {
  runtime: { type: 'string', value: 'R', help: 'browser, node or auto', fallback: 'auto' },
};

export const networkOptions: OptionTable = Object.fromEntries(
  networkOptionNames.map((name) => {
    const { help, placeholder, absent }: NetworkField<unknown> = networkFields[name];
    return [kebab(name), { type: 'string', value: placeholder, help, fallback: absent, group: 'Network' }];
  }),
);

export const modelOptions: OptionTable = {
  ...networkOptions,
  weights: {
    type: 'string',
    value: 'FILE',
    help: 'weights: .safetensors, .pt, .pth, .th or .ckpt, a folder of shards, an .onnx model, or the address of one: https://..., hf:owner/name (docs/weights.md); default: the built-in',
  },
  labels: {
    type: 'string',
    value: 'FILE',
    help: "names of the weights' classes, one a line, in the order of the classifier's rows",
  },
};

/** An option a setting; flags have a `--no-` form too. */
export function settingOptions(names: readonly SettingName[] = settingNames): OptionTable {
  return Object.fromEntries(
    names.map((name) => {
      const { help, placeholder, group, fallback, ...field } = settingFields[name];
      const isFlag = field.choices?.some(({ value }) => value === 'true');
      const type = isFlag ? 'boolean' : 'string';
      const shown = { value: placeholder, help, fallback: fieldText(fallback), group: settingGroups[group] };
      return [kebab(name), { type, ...shown }];
    }),
  );
}

/** The settings that the arguments name, checked one by one. */
export function givenSettings(
  args: Args,
  names: readonly SettingName[] = settingNames,
): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const name of names) {
    const value = args.values[kebab(name)];
    if (value === undefined) continue;
    // names of classes may hold commas, and there may be a thousand
    const named = name === 'classOrder' && typeof value === 'string' ? namesOf(value) : value;
    given[name] = parseSetting(name, named, optionLabel(name));
  }
  return given;
}

/** The lines of a .txt file that is named; else what was given. */
function namesOf(value: string): string | string[] {
  if (!value.endsWith('.txt')) return value;
  try {
    const lines = readFileSync(value, 'utf8').split('\n');
    return lines.map((line) => line.trim()).filter((line) => line !== '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`${value} cannot be read (${code}); name a file with a class a line.`);
  }
}

/** The network options that the arguments name; undefined where there is none. */
export function networkFrom(args: Args): NetworkOptions | undefined {
  const given = networkOptionNames
    .map((name) => [name, text(args, kebab(name))])
    .filter(([, value]) => value !== undefined);
  return given.length > 0 ? parseNetworkOptions(Object.fromEntries(given), optionLabel) : undefined;
}

/** Where a run's inputs come from, as config.json keeps them. */
export interface InputPaths {
  network?: NetworkOptions;
  /** absent: the built-in network */
  weights?: string;
  /** a file with the names of the network's classes */
  labels?: string;
  /** paths, or the name of a built-in set */
  data: string[];
  /** absent: what the training source has for it, or some of each class held out */
  test?: string[];
}

export function inputPaths(args: Args): InputPaths {
  const data = texts(args, 'data');
  const test = texts(args, 'test');
  return {
    network: networkFrom(args),
    weights: text(args, 'weights'),
    labels: text(args, 'labels'),
    data: data.length > 0 ? data : [EXAMPLE_SET],
    test: test.length > 0 ? test : undefined,
  };
}

/** The network to start from. `option`: what named its weights, for messages; none where it is empty. */
export async function modelFrom(
  { network, weights, labels }: Pick<InputPaths, 'network' | 'weights' | 'labels'>,
  teller: Teller,
  randomSeed?: number,
  option = '--weights',
): Promise<ModelSource> {
  if (weights) {
    const classes =
      labels === undefined ? undefined : await readLabels(await readUserFile(labels, '--labels', teller));
    const files = await readWeightFiles(weights, option, teller);
    // what cannot be used shows before an engine starts, or a browser takes a copy of it
    await recogniseFiles(files, network ?? {});
    return { kind: 'file', network, files, classes };
  }
  if (labels !== undefined) throw new UserError('--labels names the classes of --weights: name these too.');
  if (network && randomSeed !== undefined)
    return { kind: 'random', network: namedNetwork(network, optionLabel), seed: randomSeed };
  if (network)
    throw new UserError(`--weights is missing: name the weights of ${network.arch ?? 'the network'}.`);
  return { kind: 'builtin' };
}

/**
 * An image set: one of the built-in ones, a .zip, a folder, the files of an IDX pair, or the address of an archive. `option`:
 * what named it, for messages; none where it is empty.
 */
export async function dataFrom(
  paths: string[],
  split: 'train' | 'test',
  teller: Teller,
  option = split === 'train' ? '--data' : '--test',
): Promise<DataSource> {
  const [path] = paths;
  if (paths.length === 1 && isBuiltinSet(path)) return { kind: 'builtin', split, set: path };
  const files = await readUserFiles(paths, option, teller);
  if (files.every(({ path }) => path.endsWith('/')))
    throw new UserError(`${said(paths.join(', '), option)} holds no file; name a zip or folder of images.`);
  return { kind: 'files', files };
}
