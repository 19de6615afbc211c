/** The images that a graph takes: their layout and size, and how they become what it takes. */
import { UserError } from '../../errors';
import { quote } from '../../io/format-error';
import type { OnnxGraph, OnnxValue } from '../../io/onnx/graph';
import { IMAGENET } from '../builder';
import type { ModelInput, Pair } from '../model';
import type { Normalised } from './importer';
import type { Axis, Extents } from './view';

/** Images of a graph that takes any, pixels. */
const ANY_SIZE = IMAGENET.size;

/** The images that a graph takes: their axes, extents, height and width as they are given (0: open), and the side that is taken here. */
export function imagesOf(
  { file }: OnnxGraph,
  { name, shape = ['', 3, '', ''] }: OnnxValue,
): { extents: Extents; axes: Axis[]; given: Pair; size?: number } {
  if (shape.length !== 4)
    throw new UserError(
      `${file}: its input ${quote(name)} has ${shape.length} dimensions, and images have four (batch, channels, height, width).`,
    );
  const isChannels = (extent: number | string) => typeof extent === 'number' && extent >= 1 && extent <= 4;
  const isLast = isChannels(shape[3]) && !isChannels(shape[1]);
  const axes: Axis[] = isLast ? ['n', 'h', 'w', 'c'] : ['n', 'c', 'h', 'w'];
  const extent = (axis: Axis, fallback: number): number => {
    const given = shape[axes.indexOf(axis)];
    if (typeof given !== 'number' || given === 0) return fallback;
    if (given < 0 || given > 65_536)
      throw new UserError(`${file}: its input ${quote(name)} has an extent of ${given}.`);
    return given;
  };
  const [h, w] = [extent('h', 0), extent('w', 0)];
  const side = h || w || ANY_SIZE;
  const extents = { n: extent('n', 1), c: extent('c', 3), h: h || side, w: w || side };
  return { extents, axes, given: [h, w], size: h || w ? Math.max(h, w) : undefined };
}

/** Whether a graph leaves height or width of its images open. */
export const isOpen = ({ shape }: OnnxValue): boolean =>
  (shape?.filter((extent) => typeof extent === 'number' && extent > 4) ?? []).length < 2;

/**
 * How images become what the graph takes. One that normalises them itself takes numbers from 0 to 1, or bytes where its
 * deviations are those of bytes.
 */
export function inputOf(channels: number, size = ANY_SIZE, normalised?: Normalised): ModelInput {
  if (channels !== 1 && channels !== 3)
    throw new UserError(
      `The network takes images of ${channels} channels: it can be trained here on one (gray) or three.`,
    );
  if (!normalised) {
    const plain =
      channels === 3 ? IMAGENET : { mean: Array(channels).fill(0.5), std: Array(channels).fill(0.5) };
    return { channels, size, mean: [...plain.mean], std: [...plain.std] };
  }
  const { scale, shift } = normalised;
  const range = scale.every((a) => Math.abs(a) < 1 / 3) ? 255 : 1;
  return {
    channels,
    size,
    mean: scale.map((a, i) => -shift[i] / (a * range)),
    std: scale.map((a) => 1 / (a * range)),
  };
}
