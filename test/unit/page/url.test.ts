import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeHash, defaultConfig, encodeHash, type PageConfig } from '../../../src/page/settings/url';
import { networkOptionNames } from '../../../src/run/network-options';
import { defaultSettings, parseSettings, settingNames } from '../../../src/train/settings';

test('the defaults are an empty hash, and mean the default settings', () => {
  expect(encodeHash(defaultConfig())).toBe('');
  expect(parseSettings(decodeHash('').config.settings)).toEqual(defaultSettings());
});

test('any text of any field survives the hash', () => {
  const anything = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\ud800-\udfff]/g, ''));
  const setting = fc.constantFrom(...settingNames);
  const option = fc.constantFrom(...networkOptionNames.filter((name) => name !== 'arch'));
  fc.assert(
    fc.property(setting, option, anything, anything, (name, optionName, value, other) => {
      const config = defaultConfig();
      config.source = 'own';
      config.settings[name] = value;
      config.network.arch = other || 'resnet20_cifar';
      config.network[optionName] = other;
      const { config: read, unknown } = decodeHash(`#${encodeHash(config)}`);
      expect(read).toEqual(config);
      expect(unknown).toEqual([]);
    }),
  );
});

test('only what differs is written, by the names that the command line has', () => {
  const config = defaultConfig();
  config.settings.epochs = '10';
  config.settings.mean = '0.5,0.5,0.5';
  expect(encodeHash(config)).toBe('epochs=10&mean=0.5%2C0.5%2C0.5');
});

test('every setting and network option has its own name in the hash', () => {
  const config = defaultConfig();
  config.source = 'own';
  for (const name of settingNames) config.settings[name] = 'x';
  for (const name of networkOptionNames) config.network[name] = 'y';
  const names = [...new URLSearchParams(encodeHash(config)).keys()];
  expect(names).toEqual(['source', ...networkOptionNames, ...settingNames]);
});

test('which of the built-in images, where they are not the usual ones', () => {
  const config: PageConfig = { ...defaultConfig(), images: 'builtin' };
  expect(encodeHash(config)).toBe('images=builtin');
  expect(decodeHash('images=builtin')).toEqual({ config, unknown: [] });
  expect(decodeHash('images=toString').unknown).toEqual(['images']);
});

test('an experiment, by a preset’s name or as its file', () => {
  for (const experiment of ['smoke', '{"name":"a & b","arms":["refocus"],"seeds":[1]}']) {
    const config: PageConfig = { ...defaultConfig(), experiment };
    expect(decodeHash(`#${encodeHash(config)}`)).toEqual({ config, unknown: [] });
  }
});

test('names that mean nothing are told, prototype or not', () => {
  const { config, unknown } = decodeHash('#epoch=3&__proto__=1&toString=2&source=web');
  expect(unknown).toEqual(['epoch', '__proto__', 'toString', 'source']);
  expect(config).toEqual(defaultConfig());
});
