import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { buildModel } from '../../../src/model/builder';
import { refconvs } from '../../../src/model/refconv';
import type { TrainSettings } from '../../../src/train/settings';
import { refconvOptions, trainedModel } from '../../../src/train/trained-model';
import { runSettings } from '../../settings';

/** A dense and a pointwise convolution, and for `withDepthwise` one whose map factors: 32 planes beside 9 taps. */
const network = (withDepthwise: boolean) =>
  buildModel({ name: 'a net', classes: 5 }, (net, x) => {
    let y = net.conv('stem', x, 32, 3);
    if (withDepthwise) y = net.conv('depthwise', y, 32, 3, { groups: 32 });
    return net.head('fc', net.globalAvgPool(net.conv('pointwise', y, 8, 1)));
  });

const settingsWith = (settings: Partial<TrainSettings>): TrainSettings => ({
  ...runSettings(),
  method: 'refocus',
  ...settings,
});

const optionsOf = (settings: Partial<TrainSettings>, model = network(true)) =>
  refconvOptions(model, settingsWith(settings));

/** Convolutions that become RefConvs, and the path of each. */
const paths = (settings: Partial<TrainSettings>, model = network(true)): Record<string, string> =>
  Object.fromEntries(
    refconvs(trainedModel(model, settingsWith(settings))).map((conv) => [conv.name, conv.refconv.path]),
  );

describe('which convolutions a run refocuses', () => {
  test.each(['finetune', 'retrain'] as const)('none by %s', (method) => {
    expect(optionsOf({ method })).toBeUndefined();
  });

  test('the depthwise ones, else all spatial ones', () => {
    expect(Object.keys(paths({}))).toEqual(['depthwise']);
    expect(Object.keys(paths({}, network(false)))).toEqual(['stem']);
    expect(optionsOf({})?.layers).toBe('depthwise');
    expect(optionsOf({}, network(false))?.layers).toBe('spatial');
  });

  test('those asked for', () => {
    expect(Object.keys(paths({ layers: 'spatial' }))).toEqual(['stem', 'depthwise']);
    expect(Object.keys(paths({ layers: ['pointwise', 'stem'] }))).toEqual(['stem', 'pointwise']);
  });
});

describe('how maps are kept', () => {
  test('factored only for SGD on a frozen basis: elsewhere the mathematics is another', () => {
    expect(paths({})).toEqual({ depthwise: 'factored' });
    expect(paths({ optimizer: 'adamw' })).toEqual({ depthwise: 'dense' });
    expect(paths({ method: 'joint' })).toEqual({ depthwise: 'dense' });
    expect(paths({ method: 'joint', optimizer: 'adamw' })).toEqual({ depthwise: 'dense' });
  });

  test('as asked for', () => {
    expect(paths({ path: 'dense' })).toEqual({ depthwise: 'dense' });
    // the Gram matrix of so few planes is larger than their map: auto keeps the map
    expect(paths({ layers: ['stem'] })).toEqual({ stem: 'dense' });
    expect(paths({ layers: ['stem'], path: 'factored' })).toEqual({ stem: 'factored' });
    expect(paths({ path: 'factored' })).toEqual({ depthwise: 'factored' });
  });
});

test('the other options are the settings', () => {
  expect(optionsOf({})).toEqual({
    layers: 'depthwise',
    mapKernel: 3,
    identity: true,
    trainBasis: false,
    rebased: false,
    path: 'auto',
    startsNonZero: false,
  });
  expect(
    optionsOf({ method: 'joint', mapKernel: 5, identity: false, mapInit: 'kaiming', optimizer: 'adamw' }),
  ).toMatchObject({ mapKernel: 5, identity: false, trainBasis: true, path: 'dense', startsNonZero: true });
});

test.each<[string, Partial<TrainSettings>, RegExp]>([
  ['zero maps without identity', { identity: false }, /start the maps from Kaiming/],
  ['factored AdamW', { path: 'factored', optimizer: 'adamw' }, /factored path is exact only for SGD/],
  ['a factored basis that trains', { path: 'factored', method: 'joint' }, /exact only for SGD on a frozen/],
  ['an unknown convolution', { layers: ['stem', 'head'] }, /a net has no convolution "head".*inspect/],
])('%s is refused', (_, settings, message) => {
  const call = () => optionsOf(settings);
  expect(call).toThrow(UserError);
  expect(call).toThrow(message);
});

test('a network without such convolutions is refused by name', () => {
  const call = () => optionsOf({ layers: 'depthwise' }, network(false));
  expect(call).toThrow(UserError);
  expect(call).toThrow(/^a net has no depthwise convolution to refocus/);
});
