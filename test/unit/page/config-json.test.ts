import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfigFile } from '../../../src/cli/run-config';
import { configJson } from '../../../src/page/settings/config-json';
import { defaultSettings } from '../../../src/train/settings';

const files = (...paths: string[]) => paths.map((path) => ({ path, blob: new Blob() }));
const settings = {
  ...defaultSettings(),
  lr: 0.02,
  rename: { cat: 'animal' },
  mean: [0.5, 0.5, 0.5] as [number, number, number],
};

test('the command line reads what the page writes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'refocus-config-'));
  const read = async (json: string) => {
    await writeFile(join(folder, 'config.json'), json);
    return readConfigFile(join(folder, 'config.json'));
  };
  try {
    const none = { network: {}, test: [], weights: [] };
    expect(await read(configJson({ ...none, settings, data: 'builtin-camera' }))).toMatchObject({
      data: ['builtin-camera'],
      settings,
    });
    const own = {
      settings,
      network: { arch: 'resnet20_cifar' },
      data: files('set/a/1.png', 'set/b/2.png', 'more.zip'),
      test: files('held.zip'),
      weights: files('net.pth'),
    };
    expect(await read(configJson(own))).toMatchObject({
      network: { arch: 'resnet20_cifar' },
      weights: 'net.pth',
      data: ['set', 'more.zip'],
      test: ['held.zip'],
      settings,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
