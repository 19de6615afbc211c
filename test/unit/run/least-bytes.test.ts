import { expect, test } from 'vitest';
import { type Builder, buildModel, type Value } from '../../../src/model/builder';
import { planSummary } from '../../../src/run/plan-summary';

const PIXELS = 2 * 4 * 4;

/** The least traffic of the layers behind a stem of four channels, in numbers a pixel, without what weights take. */
function least(build: (net: Builder, y: Value) => Value): number {
  const model = buildModel({ name: 'least', classes: 2 }, (net, x) =>
    net.head('fc', net.globalAvgPool(build(net, net.conv('stem', x, 4, 1)))),
  );
  const { totals } = planSummary({ network: model, batch: 2, size: 4, method: 'finetune' });
  const stem = 3 * 3 + 5 * 4;
  return (totals.minBytesPerStep / 4 - 8 * totals.trainable) / PIXELS - stem;
}

const CONVOLUTION = 3 * 4 + 5 * 4;

test('each layer but the first that reads a value adds its gradient to that of the others', () => {
  const convs = (net: Builder, y: Value, names: string[]) => names.map((name) => net.conv(name, y, 4, 1));
  expect(least((net, y) => net.concat(convs(net, y, ['a'])))).toBe(CONVOLUTION);
  expect(least((net, y) => net.concat(convs(net, y, ['a', 'b'])))).toBe(2 * CONVOLUTION + 4);
  expect(least((net, y) => net.concat(convs(net, y, ['a', 'b', 'c'])))).toBe(3 * CONVOLUTION + 2 * 4);
  // halves have nothing to add, and a pool of whole images gives a number an image
  const halves = (net: Builder, y: Value) =>
    [0, 2].map((from) => net.conv(`half ${from}`, net.slice(y, from, from + 2), 4, 1));
  expect(least((net, y) => net.concat(halves(net, y)))).toBe(2 * (3 * 2 + 5 * 4));
  const gated = (net: Builder, y: Value) =>
    net.mul(net.conv('a', y, 4, 1), net.activation(net.globalAvgPool(y), 'sigmoid'));
  expect(least(gated)).toBe(CONVOLUTION + 4 / 16);
});

test('a shortcut is added in a pass of its own behind a batch norm, however the norm reaches it', () => {
  const sum = (net: Builder, y: Value, norm: (t: Value, name: string) => Value) =>
    net.add(
      net.concat([norm(net.conv('a', y, 2, 1), 'na'), norm(net.conv('b', y, 2, 1), 'nb')]),
      net.conv('c', y, 4, 1),
    );
  const convs = 2 * (3 * 4 + 5 * 2) + CONVOLUTION + 2 * 4;
  expect(least((net, y) => sum(net, y, (t) => t))).toBe(convs + 4);
  expect(least((net, y) => sum(net, y, (t, name) => net.batchNorm(name, t)))).toBe(convs + 3 * 4);
});
