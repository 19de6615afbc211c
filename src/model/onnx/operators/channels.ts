/** Channels side by side, apart and padded. */
import { scalarOf } from '../constant';
import { place } from '../fold';
import type { Importer, Shown } from '../importer';
import { listOf, numberOf, textOf } from '../node';
import { dimensionOf } from '../view';
import { channelsOf, type Operator, output, type Pads } from './common';

export const concat: Operator = (net, step, inputs) => {
  const parts = inputs.map((held) => net.shown(step, held));
  const [first] = parts;
  const axis = place(numberOf(step, 'axis', 1), first.view.length);
  const like = (x: Shown) =>
    JSON.stringify([x.view.map((f, d) => (d === axis ? [] : f)), { ...x.extents, c: 0 }]);
  const isChannels = parts.every((x) => x.extents.c === 1 || dimensionOf(x.view, 'c') === axis);
  if (!isChannels || parts.some((x) => like(x) !== like(first)))
    net.refuse(step, 'joins activations otherwise than by their channels, which is not read here');
  const value = net.joined(parts.map((x) => x.value));
  const view = first.view.map((factors, d) => (d === axis ? channelsOf(value.channels) : factors));
  return { kind: 'value', value, extents: { ...first.extents, c: value.channels }, view };
};

/** Channels from `start` up to but not including `end`, by the dimension that has them. */
function channelSlice(net: Importer, x: Shown, axis: number, start: number, end: number): Shown {
  const value = start === 0 && end === x.extents.c ? x.value : net.net.slice(x.value, start, end);
  if (start > 0 && end === x.extents.c) net.rests.set(value.id, x.value);
  const view = x.view.map((factors, d) => (d === axis ? channelsOf(end - start) : factors));
  return { ...x, value, view, extents: { ...x.extents, c: end - start } };
}

export const split: Operator = (net, step, [input, sizes]) => {
  const x = net.shown(step, input);
  const axis = place(numberOf(step, 'axis', 0), x.view.length);
  if (dimensionOf(x.view, 'c') !== axis) net.refuse(step, 'splits along pixels, which is not read here');
  const given = listOf(step, 'split') ?? (sizes?.kind === 'constant' ? Array.from(sizes.data) : undefined);
  const part = Math.ceil(x.extents.c / step.outputs.length);
  const parts = given ?? step.outputs.map((_, i) => Math.min(part, x.extents.c - i * part));
  let start = 0;
  return parts.map((size) => {
    start += size;
    return channelSlice(net, x, axis, start - size, start);
  });
};

export const slice: Operator = (net, step, [input, ...rest]) => {
  const list = (name: string, i: number) => {
    const held = rest[i];
    return listOf(step, name) ?? (held?.kind === 'constant' ? Array.from(held.data) : undefined);
  };
  const [starts, ends] = [list('starts', 0) ?? [], list('ends', 1) ?? []];
  const axes = list('axes', 2) ?? starts.map((_, i) => i);
  const steps = list('steps', 3) ?? starts.map(() => 1);
  const pending = input?.kind === 'value' ? input.step : undefined;
  let x = net.shown(step, input?.kind === 'value' && pending ? { ...input, step: undefined } : input);
  let taken = pending;
  for (const [i, given] of axes.entries()) {
    const d = place(given, x.view.length);
    const size = output(x, d);
    const clip = (at: number) => Math.min(Math.max(place(at, size), 0), size);
    const [start, end, by] = [clip(starts[i]), clip(ends[i]), steps[i]];
    if (by === 1 && start === 0 && end === size) continue;
    if (by === 1 && dimensionOf(x.view, 'c') === d) {
      x = channelSlice(net, x, d, start, end);
      continue;
    }
    const axis = x.view[d][0]?.axis;
    if (by < 2 || start !== 0 || end < size || (axis !== 'h' && axis !== 'w'))
      return net.refuse(step, 'cuts out a part of the image, which is not read here');
    taken = { h: 1, w: 1, ...taken, [axis]: by };
    const extents = { ...x.extents, [axis]: Math.ceil(size / by) };
    const view = x.view.map((f, e) => (e === d ? [{ axis, size: extents[axis], stride: 1 }] : f));
    x = { ...x, extents, view: view.map((f) => f.filter((factor) => factor.size > 1)) };
  }
  return { ...x, step: taken };
};

export const pad: Operator = (net, step, [input, given, value, axes]) => {
  if (textOf(step, 'mode', 'constant') !== 'constant')
    net.refuse(step, 'repeats pixels at the edge, which is not read here');
  const fill = value?.kind === 'constant' ? (scalarOf(value) ?? 0) : numberOf(step, 'value', 0);
  if (fill !== 0) net.refuse(step, `pads with ${fill}, which is not read here`);
  const list = listOf(step, 'pads') ?? (given?.kind === 'constant' ? Array.from(given.data) : []);
  if (input?.kind !== 'value') return net.shown(step, input);
  const rank = input.view.length;
  const places =
    axes?.kind === 'constant' ? Array.from(axes.data, (a) => place(a, rank)) : [...Array(rank).keys()];
  const before = Array(rank).fill(0);
  const after = Array(rank).fill(0);
  places.forEach((d, i) => {
    before[d] = list[i];
    after[d] = list[places.length + i];
  });
  const isZero = (d: number) => before[d] === 0 && after[d] === 0;
  const c = dimensionOf(input.view, 'c') ?? 1;
  if (rank === 4 && isZero(0) && isZero(2) && isZero(3) && !isZero(c)) {
    const { h, w } = input.step ?? { h: 1, w: 1 };
    const x = net.shown(step, { ...input, step: undefined });
    if (h !== w) net.refuse(step, 'reads rows and columns in different steps');
    const channels = x.extents.c + before[c] + after[c];
    return net.after(x, net.net.subsample(x.value, h, channels, before[c]));
  }
  if (rank !== 4 || !isZero(0) || !isZero(1)) net.refuse(step, 'pads more than rows and columns');
  const old = input.pad ?? [0, 0, 0, 0];
  const laid = [before[2], before[3], after[2], after[3]].map((n, i) => n + old[i]);
  return laid.every((n) => n === 0) ? input : { ...input, pad: laid as Pads };
};
