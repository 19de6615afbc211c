import { expect, test } from 'vitest';
import type { Plan } from '../../../src/graph/ir';
import { buildModel } from '../../../src/model/builder';
import { ALL_FUSIONS } from '../../../src/passes/fusion';
import { connected, programs } from '../../step-case';

const copies = ({ dispatches }: Plan) => dispatches.filter(({ shader }) => shader === 'shape/concat');

/** Dispatches that write a buffer which they read too, which WebGPU does not let them. */
const conflicts = ({ dispatches }: Plan) =>
  dispatches.filter(({ bindings, writes, phase }) => {
    const buffers = (written: boolean) =>
      Object.keys(bindings)
        .filter((name) => writes.includes(name) === written)
        .map((name) => bindings[name].buffer);
    return (
      phase !== 'update' && buffers(true).some((b) => b.startsWith('slot') && buffers(false).includes(b))
    );
  });

test('parts of concatenations are written where they belong: a step moves less by the copies', () => {
  const copied = programs({ model: connected, fusions: { ...ALL_FUSIONS, views: false } }).train.plan;
  const { plan } = programs({ model: connected }).train;
  expect(copies(copied)).toHaveLength(3);
  expect(copies(plan)).toHaveLength(0);
  const bytes = copies(copied).reduce((sum, dispatch) => sum + dispatch.bytes, 0);
  expect(plan.totals.bytes).toBe(copied.totals.bytes - bytes);
  expect(plan.totals.peakBytes).toBeLessThan(copied.totals.peakBytes);
  expect(conflicts(plan)).toEqual([]);
});

test('what lies in a concatenation of 16-bit floats is read and written so', () => {
  const { dispatches } = programs({ model: connected, storage: 'f16' }).train.plan;
  const grown = dispatches.filter(({ label }) => label === 'conv2d b.conv2');
  expect(grown.map(({ halves }) => halves)).toEqual([['x', 'y']]);
  const widened = dispatches.filter(({ label }) => label === 'conv2d b.conv1');
  expect(widened.map(({ halves }) => halves)).toEqual([['x', 'y']]);
});

test.each([
  ['a convolution reads one part and writes the other', 8],
  ['a part begins within a vec4', 6],
])('a concatenation is a copy where %s', (_, channels) => {
  const model = buildModel({ name: 'copied', classes: 5 }, (net, x) => {
    const first = net.conv('first', x, channels, 3);
    const second = net.conv('second', channels === 8 ? first : x, 8, 1);
    return net.head('fc', net.globalAvgPool(net.conv('both', net.concat([first, second]), 8, 1)));
  });
  const { plan } = programs({ model }).train;
  expect(copies(plan)).toHaveLength(1);
  expect(conflicts(plan)).toEqual([]);
});
