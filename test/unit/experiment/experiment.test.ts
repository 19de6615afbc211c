import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { arms } from '../../../src/experiment/arms';
import { type ExperimentFile, parseExperiment } from '../../../src/experiment/experiment';
import { experimentPresets } from '../../../src/experiment/presets';

const smallest: ExperimentFile = { name: 'x', arms: ['finetune', 'refocus'], seeds: [3, 4] };
const parse = (changes: object, overrides = {}) =>
  parseExperiment({ ...smallest, ...changes }, 'x.json', overrides);

test('what is left out has its default, and every choice is written down', () => {
  const experiment = parse({ lrSearch: { rates: [0.1] } }, { epochs: 7 });
  expect(experiment).toMatchObject({
    data: ['builtin-camera'],
    reference: 'finetune',
    settings: { epochs: 7, headEpochs: 0, patience: 0, seed: 3, imageSeed: 3 },
    lrSearch: { rates: [0.1], epochs: 7, heldOut: 0.2 },
  });
  expect(experiment.arms.map(({ settings }) => settings?.method)).toEqual(['finetune', 'refocus']);
});

test.each(Object.entries(experimentPresets))(
  'the preset %s is one, and is the same once written',
  (name, { experiment }) => {
    const parsed = parseExperiment(experiment, name);
    expect(parseExperiment(JSON.parse(JSON.stringify(parsed)), 'again')).toEqual(parsed);
  },
);

test.each(Object.keys(arms))('the arm %s can be one of an experiment', (name) => {
  const { from, rate } = arms[name];
  const before = [...new Set([from, rate?.of, 'finetune'])].filter(
    (one) => one !== undefined && one !== name,
  );
  const parsed = parse({ arms: [...before, name], lrSearch: { rates: [0.1, 0.2] } });
  expect(parsed.arms.at(-1)).toMatchObject({ name, label: arms[name].label });
});

test('docs/experiments.md has every arm and preset', () => {
  const text = readFileSync('docs/experiments.md', 'utf8');
  for (const name of [...Object.keys(arms), ...Object.keys(experimentPresets)])
    expect(text).toContain(`| \`${name}\` `);
});

test('an arm of the table is changed, or made from nothing', () => {
  const { arms: own } = parse({
    arms: [
      'refocus',
      { name: 'small', arm: 'refocus', settings: { mapKernel: 1 } },
      { name: 'adam', settings: { method: 'finetune', optimizer: 'adamw' }, label: 'Adam' },
      { name: 'again', arm: 'refocus', from: 'refocus', rate: { of: 'refocus' } },
    ],
    reference: 'refocus',
  });
  expect(own.slice(1)).toEqual([
    expect.objectContaining({ name: 'small', label: 'small', settings: { method: 'refocus', mapKernel: 1 } }),
    expect.objectContaining({
      name: 'adam',
      label: 'Adam',
      settings: { method: 'finetune', optimizer: 'adamw' },
    }),
    expect.objectContaining({ name: 'again', from: 'refocus', rate: { of: 'refocus', times: 1 } }),
  ]);
});

test('a rate that is given is that of all arms: none is searched for', () => {
  expect(parse({ lrSearch: { rates: [0.1] } }, { lr: 0.5 })).not.toHaveProperty('lrSearch');
});

describe('a mistake is named', () => {
  test.each<[string, object, string | RegExp]>([
    ['no name', { name: undefined }, 'name is missing'],
    ['an unknown key', { repeat: 3 }, 'repeat means nothing here'],
    ['an unknown key of an arm', { arms: [{ name: 'a', sttings: {} }] }, 'arms.0.sttings means nothing here'],
    ['an unknown arm', { arms: ['tune'] }, 'there is no arm "tune"; there are none, retrain'],
    [
      'a name that is no folder',
      { arms: [{ name: '../up', settings: {} }] },
      'arms.0.name must be a name of small letters',
    ],
    ['no seed', { seeds: [] }, 'seeds must'],
    ['a seed twice', { seeds: [1, 1] }, 'a seed is there twice'],
    ['an arm twice', { arms: ['refocus', 'refocus'] }, 'two arms are called refocus'],
    ['another reference', { reference: 'joint' }, 'the reference joint is no arm of it: finetune, refocus'],
    ['nothing that trains', { arms: ['none'] }, 'no arm trains anything'],
    ['an unknown setting', { settings: { epoch: 3 } }, 'Unknown setting epoch'],
    ['a value out of range', { settings: { epochs: 0 } }, 'epochs must be'],
    ['what the experiment decides', { settings: { seed: 9 } }, 'seed cannot be a setting of all arms'],
    ['an end by patience', { settings: { patience: 3 } }, 'patience cannot be a setting of all arms'],
    [
      'an arm that would train longer',
      { arms: ['finetune', { name: 'long', settings: { method: 'refocus', epochs: 9 } }] },
      'arm long: epochs must be equal in all arms',
    ],
    [
      'an arm with other images',
      { arms: [{ name: 'few', settings: { method: 'refocus', limit: 9, mixup: 1 } }] },
      'arm few: limit, mixup must be equal in all arms',
    ],
    [
      'settings that contradict each other',
      { arms: [{ name: 'a', settings: { method: 'joint', path: 'factored' } }] },
      'arm a: path factored is exact only',
    ],
    [
      'an arm from one that comes later',
      { arms: [{ name: 'a', arm: 'refocus', from: 'finetune' }, 'finetune'] },
      'arm a: it needs the arm finetune, which must stand before it',
    ],
    [
      'a multiple of a rate that is not known',
      { arms: ['finetune', 'finetune-rate-x3'] },
      'a multiple of a rate needs one',
    ],
  ])('%s', (_, changes, message) => {
    expect(() => parse(changes)).toThrow(message);
    expect(() => parse(changes)).toThrow('x.json');
  });

  test('something else than an object', () => {
    for (const value of [null, [], 'reviewers', 3])
      expect(() => parseExperiment(value, 'x.json')).toThrow('x.json is no experiment: it must be an object');
  });
});
