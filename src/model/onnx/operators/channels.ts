/** Channels side by side, apart, picked and padded. */
import { type Constant, scalarOf } from '../constant';
import { broadcastShape, place } from '../fold';
import type { Held, Importer, Shown } from '../importer';
import { listOf, numberOf, textOf } from '../node';
import type { Step } from '../patterns';
import { dimensionOf, shapeOf } from '../view';
import { channelsOf, type Operator, output, type Pads } from './common';

export const concat: Operator = (net, step, inputs) => {
  const patches = joinedPatches(net, step, inputs);
  if (patches) return patches;
  const padded = besideZeros(net, step, inputs);
  if (padded) return padded;
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

/**
 * Every n-th row and column of one image, from each of the first n rows and columns on, side by side: blocks of pixels as channels, as
 * detectors' stems have it.
 */
function joinedPatches(net: Importer, step: Step, inputs: readonly (Held | undefined)[]): Shown | undefined {
  const parts = inputs.filter((held) => held?.kind === 'value' && held.step !== undefined) as PatchOfImage[];
  const [first] = parts;
  const block = first?.step.h;
  if (parts.length < 4 || parts.length !== inputs.length || block ** 2 !== parts.length) return undefined;
  const axis = place(numberOf(step, 'axis', 1), first.view.length);
  const { c } = first.extents;
  const like = (x: PatchOfImage) =>
    JSON.stringify([x.value.id, x.view, x.extents, x.pad ?? 0, x.step.h, x.step.w]);
  const isOne = parts.every((x) => like(x) === like(first)) && first.step.w === block && !first.pad;
  if (!isOne || first.view.length !== 4 || (c === 1 ? axis !== 1 : dimensionOf(first.view, 'c') !== axis))
    return undefined;
  const isFrom = (at: (i: number) => [top: number, left: number]) =>
    parts.every(({ step: { top, left } }, i) => at(i)[0] === top && at(i)[1] === left);
  const isByRow = isFrom((i) => [Math.floor(i / block), i % block]);
  if (!isByRow && !isFrom((i) => [i % block, Math.floor(i / block)])) return undefined;
  const value = net.net.depthToSpace(first.value, {
    kind: 'space_to_depth',
    block,
    order: isByRow ? 'hwc' : 'whc',
  });
  const view = first.view.map((factors, d) => (d === axis ? channelsOf(value.channels) : factors));
  return { ...first, value, view, extents: { ...first.extents, c: value.channels }, step: undefined };
}

/** An image between channels of zeros, as TensorFlow pads channels. */
function besideZeros(net: Importer, step: Step, inputs: readonly (Held | undefined)[]): Shown | undefined {
  const at = inputs.findIndex((held) => held?.kind === 'value');
  const zeros = inputs.filter((held, i) => i !== at && held?.kind === 'constant') as Constant[];
  if (at < 0 || zeros.length === 0 || zeros.length < inputs.length - 1) return undefined;
  const x = net.shown(step, inputs[at]);
  const axis = place(numberOf(step, 'axis', 1), x.view.length);
  const shape = shapeOf(x.view);
  const isBeside = ({ shape: own, data }: Constant) =>
    own.length === 4 &&
    own.every((extent, d) => d === axis || extent === shape[d]) &&
    Array.from(data).every((number) => number === 0);
  if (dimensionOf(x.view, 'c') !== axis || !zeros.every(isBeside)) return undefined;
  const channels = (parts: readonly Constant[]) => parts.reduce((sum, part) => sum + part.shape[axis], 0);
  const before = channels(zeros.slice(0, at));
  return net.after(x, net.net.subsample(x.value, 1, x.extents.c + channels(zeros), before));
}

type PatchOfImage = Shown & Required<Pick<Shown, 'step'>>;

/** Channels from `start` up to but not including `end`, by the dimension that has them. */
function channelSlice(net: Importer, x: Shown, axis: number, start: number, end: number): Shown {
  const value = start === 0 && end === x.extents.c ? x.value : net.net.slice(x.value, start, end);
  if (start > 0 && end === x.extents.c) net.rests.set(value.id, x.value);
  const view = x.view.map((factors, d) => (d === axis ? channelsOf(end - start) : factors));
  return { ...x, value, view, extents: { ...x.extents, c: end - start } };
}

/** Channels that picking makes at most; a file's numbers may be anything. */
const MOST_CHANNELS = 65_536;

/** Channels in any order, some twice or not at all: a convolution of one pixel that never trains, of ones and zeros. */
function picked(net: Importer, step: Step, x: Shown, axis: number, indices: readonly number[]): Shown {
  const { c } = x.extents;
  if (indices.length === 0 || indices.length > MOST_CHANNELS || indices.some((i) => !(i >= 0 && i < c)))
    net.refuse(step, `picks channels that are not among its ${c}`);
  const [first] = indices;
  if (indices.every((index, i) => index === first + i))
    return channelSlice(net, x, axis, first, first + indices.length);
  const name = net.unique(`${step.op.toLowerCase()}_${step.index}`);
  const value = net.net.conv(name, x.value, indices.length, 1, { bias: false });
  const weight = new Float32Array(indices.length * c);
  for (const [row, index] of indices.entries()) weight[row * c + index] = 1;
  net.hold(`${name}.weight`, [indices.length, c, 1, 1], weight);
  const view = x.view.map((factors, d) => (d === axis ? channelsOf(indices.length) : factors));
  return { ...x, value, view, extents: { ...x.extents, c: indices.length } };
}

export const gather: Operator = (net, step, [input, given]) => {
  const x = net.shown(step, input);
  const axis = place(numberOf(step, 'axis', 0), x.view.length);
  const indices = net.constant(step, given, 'indices');
  if (dimensionOf(x.view, 'c') !== axis || indices.shape.length > 1)
    net.refuse(step, 'picks images or pixels, and channels alone can be picked here');
  const chosen = Array.from(indices.data, (i) => place(i, x.extents.c));
  const part = picked(net, step, x, axis, chosen);
  return indices.shape.length === 1 ? part : { ...part, view: part.view.filter((_, d) => d !== axis) };
};

/** Channels again and again: gray images for a network of coloured ones. */
export const tile: Operator = (net, step, [input, given]) => {
  const x = net.shown(step, input);
  const repeats = Array.from(net.constant(step, given, 'repeats').data);
  const d = repeats.findIndex((n) => n !== 1);
  if (d < 0) return x;
  const { c } = x.extents;
  const isOther = repeats.some((n, i) => n !== 1 && i !== d) || x.view.length !== 4;
  if (isOther || (c === 1 ? d !== 1 : dimensionOf(x.view, 'c') !== d) || !(repeats[d] * c <= MOST_CHANNELS))
    net.refuse(step, 'repeats more than channels, which is not read here');
  return picked(
    net,
    step,
    x,
    d,
    Array(repeats[d])
      .fill([...Array(c).keys()])
      .flat(),
  );
};

/** A gate told to each pixel before it meets the image: multiplication does so by itself. */
export const expand: Operator = (net, step, [input, wanted]) => {
  const x = net.shown(step, input);
  const own = shapeOf(x.view);
  const shape = broadcastShape(own, Array.from(net.constant(step, wanted, 'a shape').data));
  if (shape.join() === own.join()) return x;
  const isGray =
    x.extents.c === 1 &&
    shape[1] <= MOST_CHANNELS &&
    own.length === 4 &&
    own.every((size, d) => d === 1 || size === shape[d]);
  if (isGray) return picked(net, step, x, 1, Array(shape[1]).fill(0));
  const next = net.onlyReader(step.outputs[0]);
  const other = next?.op === 'Mul' ? next.inputs.find((name) => name !== step.outputs[0]) : undefined;
  const image = net.values.get(other ?? '');
  if (image?.kind !== 'value' || shapeOf(image.view).join() !== shape.join())
    net.refuse(step, 'repeats an activation, which is read only where it multiplies an image');
  return x;
};

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
  // zeros that are laid around what a step leaves come after it
  const pending = input?.kind === 'value' && !input.pad ? input.step : undefined;
  let x = net.shown(step, input?.kind === 'value' && pending ? { ...input, step: undefined } : input);
  let taken = pending;
  for (const [i, given] of axes.entries()) {
    const d = place(given, x.view.length);
    const size = output(x, d);
    const isTurned = steps[i] === -1 && [-1, size - 1].includes(starts[i]) && ends[i] < -size;
    if (isTurned && dimensionOf(x.view, 'c') === d) {
      x = picked(net, step, x, d, [...Array(size).keys()].reverse());
      continue;
    }
    const clip = (at: number) => Math.min(Math.max(place(at, size), 0), size);
    const [start, end, by] = [clip(starts[i]), clip(ends[i]), steps[i]];
    if (by === 1 && start === 0 && end === size) continue;
    if (by === 1 && dimensionOf(x.view, 'c') === d) {
      x = channelSlice(net, x, d, start, end);
      continue;
    }
    const axis = x.view[d][0]?.axis;
    if (by < 2 || start >= by || end < size || (axis !== 'h' && axis !== 'w'))
      return net.refuse(step, 'cuts out a part of the image, which is not read here');
    const before = taken ?? { h: 1, w: 1, top: 0, left: 0 };
    const edge = axis === 'h' ? 'top' : 'left';
    // of the rows or columns that an earlier slice has left
    taken = { ...before, [axis]: by * before[axis], [edge]: before[edge] + start * before[axis] };
    const extents = { ...x.extents, [axis]: Math.ceil((size - start) / by) };
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
    // its zeros around the image, if there are any, come after its step
    const pending = input.pad ? undefined : input.step;
    const { h, w, top, left } = pending ?? { h: 1, w: 1, top: 0, left: 0 };
    const x = net.shown(step, pending ? { ...input, step: undefined } : input);
    if (h !== w || top > 0 || left > 0) net.refuse(step, 'reads rows and columns in different steps');
    const channels = x.extents.c + before[c] + after[c];
    return net.after(x, net.net.subsample(x.value, h, channels, before[c]));
  }
  if (rank !== 4 || !isZero(0) || !isZero(1)) net.refuse(step, 'pads more than rows and columns');
  const old = input.pad ?? [0, 0, 0, 0];
  const laid = [before[2], before[3], after[2], after[3]].map((n, i) => n + old[i]);
  return laid.every((n) => n === 0) ? input : { ...input, pad: laid as Pads };
};
