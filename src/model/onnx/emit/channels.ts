/** Channels side by side, apart, in another order and padded, as ONNX's operators. */
import type { BlockAttributes } from '../../../ops/channels';
import type { Layer } from '../../model';
import { regroupingOf } from '../blocks';
import type { Place } from './windows';
import type { GraphWriter, Value } from './writer';

/** The name of the channels from `start` up to but not including `end`. */
function sliced(w: GraphWriter, name: string, parts: string, x: Value, start: number, end: number): string {
  const bounds = [start, end, 1].map((at, i) => w.integers(`${parts}.${['start', 'end', 'axis'][i]}`, [at]));
  return w.node('Slice', name, [x.name, ...bounds]);
}

export function slice(
  w: GraphWriter,
  { start, end }: Extract<Layer, { kind: 'slice' }>,
  { name, x, shape }: Place,
): Value {
  return { name: sliced(w, name, name, x, start, end), shape };
}

/** x with `first` in the place of its first channels. */
export function replace(w: GraphWriter, { name, x, shape }: Place, first: Value): Value {
  const rest = sliced(w, `${name}.rest`, name, x, first.shape[0], x.shape[0]);
  return { name: w.node('Concat', name, [first.name, rest], { axis: 1 }), shape };
}

export function concat(w: GraphWriter, { name, shape }: Place, parts: readonly Value[]): Value {
  const names = parts.map((part) => part.name);
  return { name: w.node('Concat', name, names, { axis: 1 }), shape };
}

export function shuffle(
  w: GraphWriter,
  { groups }: Extract<Layer, { kind: 'shuffle' }>,
  { name, x, shape }: Place,
): Value {
  const [c, h, width] = shape;
  const apart = w.integers(`${name}.groups`, [0, groups, c / groups, h, width]);
  const together = w.integers(`${name}.channels`, [0, c, h, width]);
  const grouped = w.node('Reshape', `${name}.apart`, [x.name, apart]);
  const crossed = w.node('Transpose', `${name}.crossed`, [grouped], { perm: [0, 2, 1, 3, 4] });
  return { name: w.node('Reshape', name, [crossed, together]), shape };
}

/** Channels as blocks of pixels, or these as channels: by the operator that has that order, else regrouped. */
export function blocks(w: GraphWriter, layer: BlockAttributes, { name, x, shape }: Place): Value {
  const { kind, block, order } = layer;
  const isGathered = kind === 'space_to_depth';
  const mode = order === 'chw' ? 'CRD' : 'DCR';
  const attributes = { blocksize: block };
  if (isGathered && order === 'hwc')
    return { name: w.node('SpaceToDepth', name, [x.name], attributes), shape };
  if (!isGathered && (order === 'chw' || order === 'hwc'))
    return { name: w.node('DepthToSpace', name, [x.name], { ...attributes, mode }), shape };
  const [c, h, width] = x.shape;
  // of the batch, which is open, ONNX's zero says that it stays
  const { apart, perm, together } = regroupingOf({ n: 0, c, h, w: width }, layer);
  const cut = w.node('Reshape', `${name}.apart`, [x.name, w.integers(`${name}.blocks`, apart)]);
  const crossed = w.node('Transpose', `${name}.crossed`, [cut], { perm });
  return { name: w.node('Reshape', name, [crossed, w.integers(`${name}.channels`, together)]), shape };
}

/** Every stride-th pixel, with channels of zeros before and after. */
export function subsample(
  w: GraphWriter,
  { stride, channels, before }: Extract<Layer, { kind: 'subsample' }>,
  { name, x, shape }: Place,
): Value {
  const end = 2 ** 31 - 1;
  const slices = [
    w.integers(`${name}.starts`, [0, 0]),
    w.integers(`${name}.ends`, [end, end]),
    w.integers(`${name}.axes`, [2, 3]),
    w.integers(`${name}.steps`, [stride, stride]),
  ];
  const taken = w.node('Slice', `${name}.slice`, [x.name, ...slices]);
  const pads = w.integers(`${name}.pads`, [0, before, 0, 0, 0, channels - x.shape[0] - before, 0, 0]);
  return { name: w.node('Pad', name, [taken, pads]), shape };
}
