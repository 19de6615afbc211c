/** Means, sums and largest numbers over all pixels. */
import type { Value } from '../../builder';
import { place } from '../fold';
import type { Importer, Shown } from '../importer';
import { listOf, numberOf } from '../node';
import type { Step } from '../patterns';
import { isWholeAmong, type Operator } from './common';

const overPixels =
  (what: string, reduce: (net: Importer, step: Step, x: Shown) => Value): Operator =>
  (net, step, [input, given]) => {
    const x = net.shown(step, input);
    const listed = listOf(step, 'axes') ?? (given?.kind === 'constant' ? Array.from(given.data) : undefined);
    const axes = (listed ?? [...x.view.keys()]).map((axis) => place(axis, x.view.length));
    const isPixels = (['h', 'w'] as const).every(
      (axis) => x.extents[axis] === 1 || axes.some((d) => isWholeAmong(x.view[d], axis, x.extents[axis])),
    );
    if (!isPixels || axes.some((d) => x.view[d].some(({ axis }) => axis === 'c' || axis === 'n')))
      net.refuse(step, `takes ${what} over more or less than all pixels, which is not read here`);
    const value = reduce(net, step, x);
    const kept = x.view.map((factors, d) => (axes.includes(d) ? [] : factors));
    const view = numberOf(step, 'keepdims', 1) === 1 ? kept : kept.filter((_, d) => !axes.includes(d));
    return { kind: 'value', value, extents: { ...x.extents, h: 1, w: 1 }, view };
  };

export const reduceMean = overPixels('a mean', (net, _, x) => net.net.globalAvgPool(x.value));

export const reduceSum = overPixels('a sum', (net, step, { value, extents }) => {
  net.isSized = true;
  const area = new Float32Array(value.channels).fill(extents.h * extents.w);
  return net.pixelwise(step, net.net.globalAvgPool(value), area).value;
});

export const reduceMax = overPixels('the largest', (net, _, { value, extents }) => {
  net.isSized = true;
  const [stride, padding] = [
    [1, 1],
    [0, 0],
  ] as [[number, number], [number, number]];
  return net.net.pool(value, {
    kind: 'max_pool',
    kernel: [extents.h, extents.w],
    stride,
    padding,
    ceilMode: false,
  });
});
