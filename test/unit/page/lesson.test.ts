import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hidingRules, type PanelName, panels } from '../../../src/page/lesson/lesson';
import { decodeHash, defaultConfig, encodeHash } from '../../../src/page/settings/url';

const names = Object.keys(panels) as PanelName[];

test('any task and any panels survive the address, beside the settings', () => {
  const text = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\ud800-\udfff]/g, ''));
  fc.assert(
    fc.property(text, fc.subarray(names), (task, hide) => {
      const config = defaultConfig();
      config.settings.epochs = '7';
      config.lesson = { task, hide };
      const read = decodeHash(`#${encodeHash(config)}`);
      expect(read).toEqual({ config, unknown: [] });
    }),
  );
});

test('no lesson is nothing in the address', () => {
  expect(encodeHash(defaultConfig())).toBe('');
});

test('a panel that there is not is told, the others are hidden, each once', () => {
  const { config, unknown } = decodeHash('#hide=profile,__proto__,run-bar,profile,,network&task=a');
  expect(config.lesson).toEqual({ task: 'a', hide: ['profile', 'network'] });
  expect(unknown).toEqual(['__proto__', 'run-bar']);
});

test('a rule hides one panel, and nothing of the address gets into it', () => {
  const { config } = decodeHash('#hide=redundancy,*{},body');
  expect(hidingRules(config.lesson.hide)).toBe('#redundancy { display: none !important; }');
});
