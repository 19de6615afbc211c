import { expect, test } from 'vitest';
import { fieldText, parseField, real, whole } from '../../../src/train/field';
import { applies, defaultSettings, settingFields, settingNames } from '../../../src/train/settings';

test('every setting says all that a form and a help text show of it', () => {
  for (const name of settingNames) {
    const { label, help, group, placeholder, choices, fallback, range } = settingFields[name];
    for (const words of [label, help, group, placeholder]) expect(words, name).not.toBe('');
    expect(label, `${name}: labels begin with a capital`).toMatch(/^[A-Z]/);
    if (choices) expect(choices.map(({ value }) => value)).toContain(String(fallback));
    if (range) expect(typeof fallback, name).toBe('number');
  }
  const labels = settingNames.map((name) => settingFields[name].label);
  expect(new Set(labels).size).toBe(labels.length);
});

test('every choice is accepted, and means itself', () => {
  for (const name of settingNames) {
    for (const { value } of settingFields[name].choices ?? [])
      expect(fieldText(parseField<unknown>(settingFields[name], value, name))).toBe(value);
  }
});

test('bounds hold as the message words them', () => {
  const accepts = (field: ReturnType<typeof real>, value: number) => {
    try {
      return parseField(field, value, 'it') === value;
    } catch {
      return false;
    }
  };
  const momentum = real({ min: 0, below: 1 }, 0.01);
  expect([-0.1, 0, 0.999, 1].map((value) => accepts(momentum, value))).toEqual([false, true, true, false]);
  expect(momentum.expects).toBe('a number from 0 to below 1');
  const rate = real({ above: 0, max: 2 }, 0.1);
  expect([0, 1e-9, 2, 2.1].map((value) => accepts(rate, value))).toEqual([false, true, true, false]);
  expect(rate.expects).toBe('a number above 0 and at most 2');
  const decay = real({ min: -1, max: 1 }, 0.1);
  expect([-1.1, -1, 1, 1.1].map((value) => accepts(decay, value))).toEqual([false, true, true, false]);
  expect([0, 1, 1.5, 3, 4].map((value) => accepts(whole(1, 3), value))).toEqual([
    false,
    true,
    false,
    true,
    false,
  ]);
});

test('settings apply beside the settings that they need', () => {
  const settings = defaultSettings();
  const hidden = (change: Partial<typeof settings>) =>
    settingNames.filter((name) => !applies(name, { ...settings, ...change }));
  expect(hidden({})).toEqual([]);
  expect(hidden({ optimizer: 'adamw' })).toEqual(['momentum', 'nesterov']);
  expect(hidden({ schedule: 'step' })).toEqual(['warmupEpochs']);
  expect(hidden({ method: 'finetune' })).toEqual(
    settingNames.filter((name) => settingFields[name].group === 'map'),
  );
});

test('what a setting needs is a setting, and values that it can have', () => {
  for (const name of settingNames) {
    for (const [other, values] of Object.entries(settingFields[name].onlyFor ?? {})) {
      const { choices } = settingFields[other as keyof typeof settingFields];
      expect(choices?.map(({ value }) => value)).toEqual(expect.arrayContaining([...values]));
    }
  }
});
