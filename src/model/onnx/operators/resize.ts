/** Images made larger by repeating their pixels. */
import type { Held } from '../importer';
import { textOf } from '../node';
import type { Step } from '../patterns';
import type { Operator } from './common';

/** Where a pixel of the larger image lies in the other, by the names of ONNX's attribute. */
const PLACES: Record<string, (i: number, scale: number) => number> = {
  half_pixel: (i, scale) => (i + 0.5) / scale - 0.5,
  asymmetric: (i, scale) => i / scale,
};

const ROUNDINGS: Record<string, (x: number) => number> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/**
 * Nearest neighbours at a whole number of times the size, by which every pixel becomes a block: an average over the pixels that
 * a part of the image covers, which is one.
 */
export const resize: Operator = (net, step, [input, ...rest]) => {
  const x = net.images(step, input);
  // Upsample has no region of interest
  const [scales, sizes] = step.op === 'Resize' ? rest.slice(1) : rest;
  if (textOf(step, 'mode', 'nearest') !== 'nearest')
    net.refuse(step, `is of the mode ${textOf(step, 'mode', '')}, and nearest alone is read here`);
  const list = (held: Held | undefined) => (held?.kind === 'constant' ? Array.from(held.data) : []);
  const { h, w } = x.extents;
  const [scale, given] = [list(scales), list(sizes)];
  const [rows, columns] =
    given.length === 4 ? given.slice(2) : [Math.floor(h * scale[2]), Math.floor(w * scale[3])];
  if (!isRepeat(step, h, rows) || !isRepeat(step, w, columns))
    net.refuse(step, `makes ${h} x ${w} pixels to ${rows} x ${columns}, otherwise than by repeating each`);
  net.isSized = true;
  const value = net.net.adaptiveAvgPool(x.value, [rows, columns]);
  return net.after(x, value, { h: rows, w: columns });
};

/** Whether a side becomes another by repeating each of its pixels as often. */
function isRepeat(step: Step, from: number, to: number): boolean {
  const isUpsample = step.op === 'Upsample';
  const place =
    PLACES[textOf(step, 'coordinate_transformation_mode', isUpsample ? 'asymmetric' : 'half_pixel')];
  const round = ROUNDINGS[textOf(step, 'nearest_mode', isUpsample ? 'floor' : 'round_prefer_floor')];
  const scale = to / from;
  if (!place || !round || !Number.isInteger(scale) || scale < 1) return false;
  const at = (i: number) => Math.min(Math.max(round(place(i, scale)), 0), from - 1);
  return Array.from({ length: to }, (_, i) => at(i)).every((pixel, i) => pixel === Math.floor(i / scale));
}
