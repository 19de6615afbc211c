/** What a run was asked for, as config.json keeps it. */
import { readFile } from 'node:fs/promises';
import { UserError } from '../errors';
import { parseNetworkOptions } from '../run/network-options';
import { type Extension, extensions } from '../train/schedule';
import { parseSettings, type TrainSettings } from '../train/settings';
import type { InputPaths } from './options';

/** All that a run needs. */
export interface RunConfig extends InputPaths {
  settings: TrainSettings;
  /** the folder that its paths begin at */
  home?: string;
  /** how its learning rate went on when it became longer */
  extend?: Extension;
}

/** @throws UserError where the file is not such a one */
export async function readConfigFile(file: string): Promise<RunConfig> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UserError(
      `${file} is no config file (${(error as Error).message}); name the config.json of a run.`,
    );
  }
  const { network, weights, labels, data, test, home, extend, settings } = (parsed ?? {}) as Record<
    string,
    unknown
  >;
  const paths = (value: unknown): value is string[] =>
    Array.isArray(value) && value.length > 0 && value.every((path) => typeof path === 'string');
  if (
    !paths(data) ||
    !(test === undefined || paths(test)) ||
    ![weights, labels].every((path) => ['string', 'undefined'].includes(typeof path))
  ) {
    throw new UserError(`${file} does not name its data as a run's config.json does; name another file.`);
  }
  return {
    network: network === undefined ? undefined : parseNetworkOptions(network),
    weights: weights as string | undefined,
    labels: labels as string | undefined,
    data,
    test,
    home: typeof home === 'string' ? home : undefined,
    extend: extensions.find((how) => how === extend),
    settings: parseSettings(settings ?? {}),
  };
}
