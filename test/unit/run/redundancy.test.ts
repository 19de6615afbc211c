import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { redundancyOf } from '../../../src/analysis/redundancy';
import { buildModel } from '../../../src/model/builder';
import { initialState } from '../../../src/model/init';
import type { ConvLayer } from '../../../src/model/model';
import { gramSpectrum } from '../../../src/run/gram-spectrum';
import { networkGrams, networkRedundancy, redundancyChanges } from '../../../src/run/redundancy';

const model = buildModel({ name: 'a net', classes: 3 }, (net, x) => {
  let y = net.conv('square', x, 4, 3);
  y = net.conv('row', y, 4, [1, 3]);
  y = net.conv('column', y, 4, [3, 1]);
  return net.head('fc', net.globalAvgPool(net.conv('point', y, 4, 1)));
});

test('every convolution with more than one tap is measured, in a row or in a square', () => {
  const state = initialState(model, 1);
  const measured = networkRedundancy(model, state);
  expect(measured.map(({ name }) => name)).toEqual(['square', 'row', 'column']);
  for (const layer of measured) {
    const { shape, data } = state.get(`${layer.name}.weight`)!;
    expect(layer).toEqual(redundancyOf(layer.name, data as Float32Array, shape));
  }
  expect([...networkGrams(model, state).keys()]).toEqual(['square', 'row', 'column']);
  expect(networkGrams(model, state).get('row')!.mapKernel).toBe(1);
});

test('what changed is told by layer, without the pictures', () => {
  const [before, after] = [1, 2].map((seed) => networkRedundancy(model, initialState(model, seed)));
  const changes = redundancyChanges(before, after);
  expect(changes.map(({ name, planes }) => [name, planes])).toEqual([
    ['square', 12],
    ['row', 16],
    ['column', 16],
  ]);
  const { divergence, cosine, effectiveRank } = after[1];
  expect(changes[1].after).toEqual({ divergence, cosine, effectiveRank });
  expect(changes[1].before.divergence).toBe(before[1].divergence);
});

interface Case {
  name: string;
  shape: ConvLayer['shape'];
  groups: number;
  mapKernel: number;
  weight: number[];
  eigenvalues: number[];
  directions: number;
}

const cases: Case[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/redundancy.json'), 'utf8'),
);

const convOf = ({ shape, groups }: Pick<Case, 'shape' | 'groups'>): ConvLayer => ({
  kind: 'conv',
  name: 'conv',
  shape,
  groups,
  stride: [1, 1],
  padding: [0, 0],
  dilation: [1, 1],
  bias: false,
});

describe.each(cases)('$name kernels', (c) => {
  test('let a step through the map do what PyTorch’s autograd says', () => {
    const found = gramSpectrum(convOf(c), c.weight, c.mapKernel)!;
    for (const [i, value] of c.eigenvalues.entries()) expect(found.eigenvalues[i]).toBeCloseTo(value, 6);
    expect(found.directions).toBeCloseTo(c.directions, 5);
    expect(found.groups).toBe((c.shape[0] * c.shape[1]) / c.groups);
    expect(found.eigenkernels !== undefined).toBe(found.groups === 1);
  });
});

test('the spectrum of many matrices is that of some, and there is none of what is no number', () => {
  const shape: ConvLayer['shape'] = [32, 16, 3, 3];
  const weight = Float32Array.from({ length: 32 * 16 * 9 }, (_, i) => Math.sin(i * i));
  expect(gramSpectrum(convOf({ shape, groups: 1 }), weight)).toMatchObject({ groups: 512, measured: 64 });
  weight[5] = Number.NaN;
  expect(gramSpectrum(convOf({ shape, groups: 1 }), weight)).toBeUndefined();
  const large = convOf({ shape: [2, 1, 13, 13], groups: 2 });
  expect(gramSpectrum(large, new Float32Array(338))).toBeUndefined();
});
