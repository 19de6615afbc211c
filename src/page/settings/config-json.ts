/** The form as the config.json of a run: what `--config` reads, and what the page takes when it is dropped. */
import type { UserFile } from '../../api';
import type { NetworkOptions } from '../../run/network-options';
import type { TrainSettings } from '../../train/settings';

interface Chosen {
  settings: TrainSettings;
  network: NetworkOptions;
  /** a built-in set's name, or the files */
  data: string | readonly UserFile[];
  test: readonly UserFile[];
  weights: readonly UserFile[];
}

/** Files are named as the user knows them: their folders or archives, which lie where the command line is run. */
export function configJson({ settings, network, data, test, weights }: Chosen): string {
  const isBuiltin = typeof data === 'string';
  const config = {
    ...(!isBuiltin && Object.keys(network).length > 0 && { network }),
    ...(!isBuiltin && weights.length > 0 && { weights: topsOf(weights)[0] }),
    data: isBuiltin ? [data] : topsOf(data),
    ...(!isBuiltin && test.length > 0 && { test: topsOf(test) }),
    settings,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

const topsOf = (files: readonly UserFile[]): string[] => [
  ...new Set(files.map(({ path }) => path.split('/')[0])),
];
