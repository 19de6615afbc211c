import { expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { decideSettings } from '../../../src/train/decide';
import { fieldText, parseField, real, whole } from '../../../src/train/field';
import {
  applies,
  defaultSettings,
  parseSetting,
  parseSettings,
  type SettingName,
  settingFields,
  settingNames,
  type TrainSettings,
} from '../../../src/train/settings';

test('every setting says all that a form and a help text show of it', () => {
  for (const name of settingNames) {
    const { label, help, group, placeholder, choices, fallback, range } = settingFields[name];
    for (const words of [label, help, group, placeholder]) expect(words, name).not.toBe('');
    expect(label, `${name}: labels begin with a capital`).toMatch(/^[A-Z]/);
    if (choices) expect(choices.map(({ value }) => value)).toContain(String(fallback));
    if (range && !range.orAuto) expect(typeof fallback, name).toBe('number');
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

test.each([
  [{ rounds: 4 }, 'rounds (4) must not be above the epochs that refocus (3).'],
  [{ rounds: 3, epochs: 4, headEpochs: 2 }, 'rounds (3) must not be above the epochs that refocus (2).'],
  [{ rounds: 2, warmupEpochs: 1 }, 'warmupEpochs (1) must be below the epochs of each of the 2 rounds (1).'],
  [{ rounds: 2, mapInit: 'kaiming' }, 'rounds above 1 needs mapInit zeros'],
  [{ rounds: 2, ema: 0.9 }, 'rounds above 1 needs ema 0'],
])('rounds that cannot be are refused: %o', (input, message) => {
  expect(() => parseSettings(input)).toThrow(message);
  expect(parseSettings({ ...input, method: 'finetune' }).rounds).toBe(input.rounds);
});

test('settings apply beside the settings that they need', () => {
  const settings = defaultSettings();
  const hidden = (change: Partial<typeof settings>) =>
    settingNames.filter((name) => !applies(name, { ...settings, ...change }));
  expect(hidden({})).toEqual(['preconditioner', 'branches']);
  expect(hidden({ optimizer: 'adamw' })).toEqual(['preconditioner', 'branches', 'momentum', 'nesterov']);
  expect(hidden({ schedule: 'step' })).toEqual([
    'preconditioner',
    'branches',
    'warmupEpochs',
    'freshOptimizer',
  ]);
  expect(hidden({ method: 'precondition' })).toEqual([
    ...['mapInit', 'identity', 'path', 'branches', 'rounds', 'unmerged'],
  ]);
  expect(hidden({ method: 'branches' })).toEqual(
    settingNames.filter(
      (name) => settingFields[name].group === 'map' && !['layers', 'branches'].includes(name),
    ),
  );
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

/** What a setting takes, its default first, and the nearest that it does not take. */
const TAKEN: Record<SettingName, [takes: unknown[], refuses: unknown[]]> = {
  method: [['refocus', 'finetune', 'retrain', 'joint', 'precondition', 'branches'], ['merge']],
  epochs: [
    [3, 1, 100_000],
    [0, 100_001, 1.5],
  ],
  batch: [
    ['auto', 1, 65_536],
    [0, 65_537, 'all'],
  ],
  microBatch: [
    ['auto', 1, 65_536],
    [0, 65_537, 'all'],
  ],
  dropLast: [[false, true], ['yes']],
  freshOptimizer: [[false, true], ['yes']],
  norms: [[false, true], ['yes']],
  checkpointMinutes: [
    [2, 0, 0.5, 1440],
    [-1, 1441],
  ],
  lr: [
    ['auto', 0.003, 1e-9, 100],
    [0, 101],
  ],
  head: [['auto', 'keep', 'new'], ['old']],
  seed: [
    [0, 4_294_967_295],
    [-1, 4_294_967_296],
  ],
  imageSeed: [
    ['auto', 0, 4_294_967_295],
    [-1, 4_294_967_296],
  ],
  validate: [[false, true], ['yes']],
  validationShare: [
    ['auto', 0.01, 0.9],
    [0, 0.95, 'none'],
  ],
  optimizer: [['sgd', 'adamw'], ['adam']],
  momentum: [
    [0.9, 0, 0.999],
    [-0.001, 1],
  ],
  nesterov: [[false, true], [0]],
  weightDecay: [
    [4e-5, 0, 1],
    [-1e-9, 1.001],
  ],
  labelSmoothing: [
    [0, 0.999],
    [-0.001, 1],
  ],
  balance: [
    ['none', 'loss', 'sampler'],
    ['even', true],
  ],
  clipNorm: [
    [0, 1e9],
    [-0.001, 1e9 + 1],
  ],
  decayNorms: [[true, false], [0]],
  freeze: [
    ['none', 'backbone', 'norms', 'all-but-maps', ['features.0', '*.bias']],
    [[], ['']],
  ],
  headLr: [
    [1, 1e-9, 1000],
    [0, 1001],
  ],
  headEpochs: [
    ['auto', 0, 1],
    [-1, 1.5],
  ],
  ema: [
    [0, 0.9999],
    [-0.001, 1],
  ],
  patience: [
    [0, 100_000],
    [-1, 1.5],
  ],
  schedule: [['cosine', 'constant', 'step'], ['linear']],
  warmupEpochs: [
    [0, 0.5, 100_000],
    [-0.001, 100_001],
  ],
  layers: [
    ['auto', 'depthwise', 'spatial', ['conv1']],
    [[], ['']],
  ],
  mapKernel: [
    [3, 1, 5],
    [2, 7],
  ],
  mapInit: [['zeros', 'kaiming'], ['ones']],
  identity: [[true, false], [1]],
  path: [['auto', 'dense', 'factored'], ['sparse']],
  augment: [['auto', 'none', 'cifar', 'imagenet', 'photos'], ['all']],
  cropScale: [
    ['auto', 0.01, 1],
    [0, 1.01],
  ],
  cropRatio: [
    ['auto', 1, 10],
    [0.9, 11],
  ],
  verticalFlip: [[false, true], ['no']],
  colorJitter: [
    ['auto', [0, 0, 0, 0], [1, 1, 1, 0.5]],
    [
      [0.1, 0.1, 0.1],
      [1.1, 0, 0, 0],
    ],
  ],
  trivialAugment: [[false, true], ['wide']],
  randomErasing: [
    [0, 1],
    [-0.1, 1.1],
  ],
  mixup: [
    [0, 0.2, 10],
    [-1, 11],
  ],
  cutmix: [
    [0, 1, 10],
    [-1, 11],
  ],
  cropPadding: [
    ['auto', 4, 0, 64],
    [-1, 65, 1.5],
  ],
  flip: [['auto', true, false], ['no']],
  repeats: [
    ['auto', 1, 1000],
    [0, 1001],
  ],
  mean: [
    ['auto', [0.485, 0.456, 0.406], [-10, 0, 10]],
    [
      [-10.1, 0, 0],
      [0, 10.1, 0],
      [0, 0],
    ],
  ],
  std: [
    ['auto', [0.229, 0.224, 0.225], [1e-9, 1, 10]],
    [
      [1, 1, 0],
      [1, 10.1, 1],
    ],
  ],
  limit: [
    [0, 1e9],
    [-1, 1e9 + 1],
  ],
  imageSize: [
    [0, 1024],
    [-1, 1025],
  ],
  interpolation: [['auto', 'bilinear', 'bicubic'], ['nearest']],
  cropMode: [['auto', 'center', 'squash', 'border'], ['pad']],
  cropPct: [
    ['auto', 0.1, 0.875, 1],
    [0.09, 1.01, 'all'],
  ],
  val: [
    [0.2, 0.01, 0.99],
    [0, 1],
  ],
  classOrder: [
    ['name', 'natural', ['b', 'a']],
    [[], ['']],
  ],
  rename: [
    [{}, { cat: 'animal', 'dog, small=1': 'animal', junk: '' }],
    ['cat', 'cat=a=b', 'cat=a,cat=b', '{"cat":', { cat: 1 }, { '': 'cat' }, { cat: 'a\nb' }, ['cat=a']],
  ],
  exif: [['ignore', 'apply'], ['turn']],
  autotune: [[false, true], ['on']],
  preconditioner: [['gram', 'random', 'diagonal', 'own', 'identity', 'layer'], ['none']],
  branches: [['acnet', 'repvgg', 'dbb', 'orepa'], ['none']],
  rounds: [
    [1, 1000],
    [0, 1001, 1.5],
  ],
  unmerged: [[false, true], ['maybe']],
  format: [['safetensors', 'pth', 'both'], ['onnx']],
  storage: [['f32', 'f16'], ['bf16']],
  memory: [
    [0, 1500, 0.5, 1_000_000],
    [-1, 1_000_001, 'all', '2 PB', 'GB'],
  ],
};

test.each(settingNames)('%s takes what its documentation says, its default first', (name) => {
  const [takes, refuses] = TAKEN[name];
  expect(defaultSettings()[name]).toEqual(takes[0]);
  for (const value of takes) {
    expect(parseSetting(name, value)).toEqual(value);
    expect(parseSetting(name, fieldText(value))).toEqual(value);
  }
  for (const value of refuses) expect(() => parseSetting(name, value), `${value}`).toThrow(UserError);
});

test('new names of classes may be pairs, as they are typed', () => {
  const names = { cat: 'animal', dog: 'animal', junk: '' };
  expect(parseSetting('rename', 'cat=animal, dog = animal,junk=')).toEqual(names);
  expect(parseSetting('rename', '  ')).toEqual({});
});

test('a refusal shows the value, cut where it is long', () => {
  expect(() => parseSetting('epochs', undefined)).toThrow(/, not nothing\.$/);
  expect(() => parseSetting('epochs', Number.NaN)).toThrow(/, not NaN\.$/);
  expect(() => parseSetting('method', 'x'.repeat(58))).toThrow(`not "${'x'.repeat(58)}".`);
  expect(() => parseSetting('method', 'x'.repeat(59))).toThrow(`not "${'x'.repeat(56)}....`);
});

test.each<[Partial<TrainSettings>, boolean]>([
  [{ nesterov: true }, true],
  [{ norms: true, freeze: 'backbone' }, true],
  [{ norms: true, freeze: 'norms' }, false],
  [{ norms: true, unmerged: true }, false],
  [{ nesterov: true, optimizer: 'adamw' }, false],
  [{ nesterov: true, momentum: 0 }, false],
  [{ momentum: 0, optimizer: 'adamw' }, true],
  [{ path: 'factored' }, true],
  [{ path: 'factored', optimizer: 'adamw' }, false],
  [{ path: 'factored', method: 'joint' }, false],
  [{ path: 'dense', method: 'joint', optimizer: 'adamw' }, true],
  [{ epochs: 3, warmupEpochs: 2.9 }, true],
  [{ epochs: 3, warmupEpochs: 3 }, false],
  [{ epochs: 1, warmupEpochs: 0 }, true],
])('%j together: %s', (settings, fits) => {
  const parse = () => parseSettings(settings);
  if (fits) expect(parse()).toEqual({ ...defaultSettings(), ...settings });
  else expect(parse).toThrow(UserError);
});

test('an epoch of few images goes over them until it has seen 128, if it is not told how often', () => {
  const input = { mean: [0, 0, 0], std: [1, 1, 1] };
  const repeats = (images: number, given: number | 'auto' = 'auto') =>
    decideSettings({ ...defaultSettings(), repeats: given }, { input, images }).repeats;
  expect([1, 12, 64, 127, 128, 5000].map((images) => repeats(images))).toEqual([128, 11, 2, 2, 1, 1]);
  expect(repeats(12, 1)).toBe(1);
  expect(repeats(5000, 3)).toBe(3);
});
