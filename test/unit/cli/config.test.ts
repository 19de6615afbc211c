import { expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { namedNetwork, parseNetworkOptions } from '../../../src/run/network-options';
import { decideSettings } from '../../../src/train/decide';
import { defaultSettings, parseSettings } from '../../../src/train/settings';

test('nothing given means the defaults, and they pass their own checks', () => {
  expect(parseSettings({})).toEqual(defaultSettings());
  expect(parseSettings(defaultSettings())).toEqual(defaultSettings());
  expect(defaultSettings()).toMatchObject({
    method: 'refocus',
    mapInit: 'zeros',
    identity: true,
    path: 'auto',
  });
});

test('what is auto is decided by the network and the images', () => {
  const input = { mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6] };
  const decided = (images: number, given = {}) => decideSettings(parseSettings(given), { input, images });
  expect(decided(10_000)).toMatchObject({ batch: 128, mean: input.mean, std: input.std });
  expect([3, 12, 16, 63, 68, 200, 511, 512].map((images) => decided(images).batch)).toEqual([
    3, 12, 16, 16, 17, 50, 127, 128,
  ]);
  expect(decided(1).batch).toBe(1);
  // in proportion to the images of a step, below 64
  expect([12, 40, 200, 256, 10_000].map((images) => decided(images).lr)).toEqual([
    0.00056, 0.00075, 0.0023, 0.003, 0.003,
  ]);
  expect([decided(12, { batch: 128 }).lr, decided(10_000, { batch: 32 }).lr]).toEqual([0.00056, 0.0015]);
  expect(decided(12, { lr: '0.1' }).lr).toBe(0.1);
  expect(decided(12, { method: 'retrain' }).lr).toBe(0.003);
  expect(decideSettings(parseSettings({}), { input, images: 12, newHead: true }).lr).toBe(0.003);
  expect(decided(10, { batch: '64', mean: '0,0,0' })).toMatchObject({ batch: 64, mean: [0, 0, 0] });
});

test('a new head trains alone for the first epoch, where there is something around it that waits', () => {
  const input = { mean: [0, 0, 0], std: [1, 1, 1] };
  const epochs = (given: object, newHead?: boolean) =>
    decideSettings(parseSettings(given), { input, images: 100, newHead }).headEpochs;
  expect([epochs({}), epochs({}, false), epochs({}, true)]).toEqual([0, 0, 1]);
  expect(epochs({ epochs: 1 }, true)).toBe(0);
  expect(epochs({ method: 'retrain' }, true)).toBe(0);
  expect(epochs({ method: 'finetune', freeze: 'backbone' }, true)).toBe(0);
  expect([epochs({ headEpochs: '2' }), epochs({ headEpochs: 0 }, true)]).toEqual([2, 0]);
});

test('text from a URL means what JSON means', () => {
  const given = {
    lr: '0.1',
    batch: '64',
    flip: 'false',
    mean: '0.1, 0.2,0.3',
    layers: 'a.conv,b.conv',
    mapKernel: '5',
    freeze: 'features.0,*.bias',
  };
  expect(parseSettings(given)).toMatchObject({
    lr: 0.1,
    batch: 64,
    flip: false,
    mean: [0.1, 0.2, 0.3],
    layers: ['a.conv', 'b.conv'],
    mapKernel: 5,
    freeze: ['features.0', '*.bias'],
  });
  expect(parseSettings({ layers: 'spatial' }).layers).toBe('spatial');
});

test.each([
  ['lr', 'nan'],
  ['lr', Number.NaN],
  ['lr', Number.POSITIVE_INFINITY],
  ['lr', 0],
  ['lr', -1],
  ['lr', ''],
  ['lr', null],
  ['epochs', 0],
  ['epochs', '1.5'],
  ['batch', 2.5],
  ['batch', '12x'],
  ['batch', 1e9],
  ['seed', -1],
  ['seed', 2 ** 32],
  ['momentum', 1],
  ['weightDecay', -1],
  ['labelSmoothing', 1],
  ['clipNorm', -1],
  ['method', 'Refocus'],
  ['optimizer', 'adam'],
  ['mapKernel', 2],
  ['mapKernel', '7'],
  ['flip', 'yes'],
  ['flip', 1],
  ['mean', '0.5,0.5'],
  ['mean', [0.5, 0.5, 'x']],
  ['std', '0.5,0,0.5'],
  ['layers', ''],
  ['layers', []],
  ['layers', 'a,,b'],
  ['limit', -5],
  ['imageSize', 100000],
])('%s = %j is refused by one sentence that names it', (name, value) => {
  const parse = () => parseSettings({ [name]: value }, (key) => `--${key}`);
  expect(parse).toThrow(UserError);
  expect(parse).toThrow(new RegExp(`^--${name} must be [^\n]+, not [^\n]*\\.$`));
});

test('unknown names are refused, those of Object.prototype too', () => {
  expect(() => parseSettings({ learningRate: 1 })).toThrow(/^Unknown setting learningRate/);
  expect(() => parseSettings(JSON.parse('{"__proto__": {"lr": 1}}'))).toThrow(/^Unknown setting __proto__/);
  expect(() => parseSettings({ constructor: 1 })).toThrow(/^Unknown setting constructor/);
});

test('settings that contradict each other are refused', () => {
  expect(() => parseSettings({ nesterov: true, momentum: 0 })).toThrow(/nesterov needs/);
  expect(() => parseSettings({ path: 'factored', optimizer: 'adamw' })).toThrow(/exact only/);
  expect(() => parseSettings({ path: 'factored', method: 'joint' })).toThrow(/exact only/);
  expect(() => parseSettings({ warmupEpochs: 3, epochs: 3 })).toThrow(
    /warmupEpochs \(3\) must be below epochs \(3\)\.$/,
  );
  expect(() => parseSettings({ warmupEpochs: 2, headEpochs: 1, epochs: 3 })).toThrow(
    /warmupEpochs \(2\) must be below epochs \(3\) less headEpochs \(1\)/,
  );
  expect(() => parseSettings({ headEpochs: 4, epochs: 3 })).toThrow(
    /headEpochs \(4\) must not be above epochs \(3\)/,
  );
});

test('settings must be an object', () => {
  for (const input of [null, [], 'lr=1', 3]) expect(() => parseSettings(input)).toThrow(UserError);
});

test('a long value is cut in the message', () => {
  const message = (() => {
    try {
      return String(parseSettings({ method: 'x'.repeat(1e6) }));
    } catch (error) {
      return (error as Error).message;
    }
  })();
  expect(message.length).toBeLessThan(200);
});

test('network options: text and JSON', () => {
  expect(parseNetworkOptions({ arch: 'a', width: '0.35', stemStride: '1', kwargs: '{"x":[1]}' })).toEqual({
    arch: 'a',
    width: 0.35,
    stemStride: 1,
    kwargs: { x: [1] },
  });
  for (const bad of [{ width: 0 }, { stemStride: 3 }, { classes: 1.5 }, { kwargs: '[1]' }, { kwargs: '{' }]) {
    expect(() => parseNetworkOptions({ arch: 'a', ...bad })).toThrow(UserError);
  }
  expect(() => namedNetwork(parseNetworkOptions({ width: 1 }))).toThrow(/arch is missing/);
});
