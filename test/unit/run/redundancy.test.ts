import { expect, test } from 'vitest';
import { redundancyOf } from '../../../src/analysis/redundancy';
import { buildModel } from '../../../src/model/builder';
import { initialState } from '../../../src/model/init';
import { networkRedundancy } from '../../../src/run/redundancy';

test('every convolution with more than one tap is measured, in a row or in a square', () => {
  const model = buildModel({ name: 'a net', classes: 3 }, (net, x) => {
    let y = net.conv('square', x, 4, 3);
    y = net.conv('row', y, 4, [1, 3]);
    y = net.conv('column', y, 4, [3, 1]);
    return net.head('fc', net.globalAvgPool(net.conv('point', y, 4, 1)));
  });
  const state = initialState(model, 1);
  const measured = networkRedundancy(model, state);
  expect(measured.map(({ name }) => name)).toEqual(['square', 'row', 'column']);
  for (const layer of measured) {
    const { shape, data } = state.get(`${layer.name}.weight`)!;
    expect(layer).toEqual(redundancyOf(layer.name, data as Float32Array, shape));
  }
});
