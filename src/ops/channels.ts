import { UserError } from '../errors';
import type { Constants, GraphBuilder, Op, Tensors } from '../graph/ir';
import { bytesOf, elements, present, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';

/** Ops that move channels about: concatenation, slices, shuffles, blocks of pixels, and ResNet's parameterless shortcut. */

/** Tensors that one dispatch puts side by side: with the result as many buffers as WebGPU promises. */
export const MOST_JOINED = 7;

/** Tensors `[n, h, w, c_i]` side by side over channels, in order. */
export function concat(g: GraphBuilder, name: string, tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 1) return tensors[0];
  const [some, rest] = [tensors.slice(0, MOST_JOINED), tensors.slice(MOST_JOINED)];
  const channels = some.reduce((sum, { shape }) => sum + shape[3], 0);
  const isLast = rest.length === 0;
  const y = g.tensor(isLast ? name : `${name} first ${channels}`, [...some[0].shape.slice(0, 3), channels]);
  g.add(concatOp, name, numbered(some), { y }, { skip: 0 });
  return isLast ? y : concat(g, name, [y, ...rest]);
}

/** x with `first` `[n, h, w, p]` in the place of its first p channels: torch's `x[:, :p] = first`, into a new tensor. */
export function replaceChannels(g: GraphBuilder, name: string, x: Tensor, first: Tensor): Tensor {
  const y = g.tensor(name, x.shape);
  g.add(concatOp, name, numbered([first, x]), { y }, { skip: first.shape[3] });
  return y;
}

/** Channels `start` to `start + length - 1`. */
export function sliceChannels(
  g: GraphBuilder,
  name: string,
  x: Tensor,
  start: number,
  length: number,
): Tensor {
  const y = g.tensor(name, [...x.shape.slice(0, 3), length]);
  g.add(gatherOp, name, { x }, { y }, { ...PLAIN, offset: start });
  return y;
}

/** torch.nn.functional.channel_shuffle: channel j of group i goes to place i of group j. */
export function shuffleChannels(g: GraphBuilder, name: string, x: Tensor, groups: number): Tensor {
  if (x.shape[3] % groups)
    throw new UserError(`${name}: ${x.shape[3]} channels cannot be shuffled in ${groups} groups.`);
  const y = g.tensor(name, x.shape);
  g.add(gatherOp, name, { x }, { y }, { ...PLAIN, groups });
  return y;
}

/**
 * Every `stride`-th pixel of each row and column, with `before` channels of zeros before x's and enough after them to
 * make `channels`: the shortcut "A" of ResNets for CIFAR.
 */
export function subsample(
  g: GraphBuilder,
  name: string,
  x: Tensor,
  stride: number,
  channels: number,
  before: number,
): Tensor {
  const [n, h, w] = x.shape;
  const y = g.tensor(name, [n, Math.ceil(h / stride), Math.ceil(w / stride), channels]);
  g.add(gatherOp, name, { x }, { y }, { ...PLAIN, down: stride, offset: -before });
  return y;
}

/** What counts the channels that a block's pixels become, the slowest first: the channel itself, the row, the column in the block. */
export type BlockOrder = 'chw' | 'cwh' | 'hcw' | 'hwc' | 'wch' | 'whc';

export interface BlockAttributes {
  /** `space_to_depth`: blocks become channels */
  kind: 'depth_to_space' | 'space_to_depth';
  /** side of a block, pixels */
  block: number;
  order: BlockOrder;
}

/**
 * Channels `[n, h, w, block² c]` as blocks of pixels `[n, block h, block w, c]`: torch.nn.PixelShuffle and ONNX's DepthToSpace of mode
 * CRD by the order `chw`, of mode DCR by `hwc`. Or these as channels: torch.nn.PixelUnshuffle by `chw`, ONNX's SpaceToDepth by `hwc`.
 * @throws UserError where the channels are no multiple of block², or height or width none of `block`
 */
export function depthToSpace(g: GraphBuilder, name: string, x: Tensor, attrs: BlockAttributes): Tensor {
  const [n, h, w, c] = x.shape;
  const { block } = attrs;
  const [up, down] = attrs.kind === 'space_to_depth' ? [1, block] : [block, 1];
  const shape = [n, (h * up) / down, (w * up) / down, (c * down ** 2) / up ** 2];
  if (!shape.every(Number.isInteger))
    throw new UserError(
      `${name}: an image of ${h} x ${w} is not whole blocks of ${block}: use larger images.`,
    );
  const y = g.tensor(name, shape);
  g.add(blocksOp, name, { x }, { y }, attrs);
  return y;
}

/** out[n, h, w, c] = in[n, h * down / up, w * down / up, channel(c)], zero where there is no such place. */
interface GatherAttributes {
  down: number;
  up: number;
  /** channel(c) = c + offset, in one group */
  offset: number;
  /** channel(c) of a shuffle, where more than 1 */
  groups: number;
  /** channels of out below it are zero */
  from: number;
}
const PLAIN: GatherAttributes = { down: 1, up: 1, offset: 0, groups: 1, from: 0 };

interface Gather {
  inputs: { x: Tensor; addend?: Tensor };
  outputs: { y: Tensor };
  attrs: GatherAttributes;
}

export const gatherOp: Op<Gather> = {
  name: 'gather_channels',
  lower: ({ inputs: { x, addend }, outputs: { y }, attrs: a }) => {
    const size = elements(y) / 4;
    return [
      {
        shader: 'shape/gather_channels',
        constants: {
          SIZE: size,
          H: y.shape[1],
          W: y.shape[2],
          C: y.shape[3],
          IH: x.shape[1],
          IW: x.shape[2],
          IC: x.shape[3],
          DOWN: a.down,
          UP: a.up,
          OFFSET: a.offset,
          GROUPS: a.groups,
          FROM: a.from,
          ADDEND: addend !== undefined,
        },
        reads: { x, addend },
        writes: { y },
        workgroups: workgroupsFor(size),
        flops: 0,
        // of x no more than is written
        bytes: bytesOf(y) + (addend ? bytesOf(addend) : 0) + Math.min(bytesOf(x), bytesOf(y)),
      },
    ];
  },
  backward: ({ inputs: { x }, outputs: { y }, attrs: a, name }, tape) => {
    const dy = tape.gradient(y)!;
    const inverse: GatherAttributes = {
      down: a.up,
      up: a.down,
      offset: -a.offset,
      // the inverse of a shuffle in g groups is one in c / g
      groups: a.groups > 1 ? x.shape[3] / a.groups : 1,
      from: 0,
    };
    tape.contribute(x, ({ out, addend }) =>
      tape.graph.add(gatherOp, name, { x: dy, addend }, { y: out }, inverse),
    );
  },
};

interface Blocks {
  inputs: { x: Tensor; addend?: Tensor };
  outputs: { y: Tensor };
  attrs: BlockAttributes;
}

const blocksOp: Op<Blocks> = {
  name: 'depth_to_space',
  lower: ({ inputs: { x, addend }, outputs: { y }, attrs: a }) => {
    const size = elements(y) / 4;
    /** channels of those with blocks in them that a step takes of what a letter of the order counts */
    const stride = (letter: string) => {
      const [, inner] = a.order.split(letter);
      return (
        a.block ** inner.replace('c', '').length *
        (inner.includes('c') ? Math.min(x.shape[3], y.shape[3]) : 1)
      );
    };
    return [
      {
        shader: 'shape/depth_to_space',
        constants: {
          SIZE: size,
          H: y.shape[1],
          W: y.shape[2],
          C: y.shape[3],
          IC: x.shape[3],
          R: a.block,
          STRIDE_C: stride('c'),
          STRIDE_H: stride('h'),
          STRIDE_W: stride('w'),
          GATHERS: a.kind === 'space_to_depth',
          ADDEND: addend !== undefined,
        },
        reads: { x, addend },
        writes: { y },
        workgroups: workgroupsFor(size),
        flops: 0,
      },
    ];
  },
  backward: ({ inputs: { x }, outputs: { y }, attrs: a, name }, tape) => {
    const dy = tape.gradient(y)!;
    const inverse: BlockAttributes = {
      ...a,
      kind: a.kind === 'space_to_depth' ? 'depth_to_space' : 'space_to_depth',
    };
    tape.contribute(x, ({ out, addend }) =>
      tape.graph.add(blocksOp, name, { x: dy, addend }, { y: out }, inverse),
    );
  },
};

/** The inputs of a concatenation by their names: x0, x1, ... */
export const numbered = (tensors: readonly Tensor[]): Record<string, Tensor> =>
  Object.fromEntries(tensors.map((t, i) => [`x${i}`, t]));

interface Concat {
  /** x0 to x6 */
  inputs: Tensors;
  outputs: { y: Tensor };
  /** how many of x1's first channels are left out */
  attrs: { skip: number };
}

export const concatOp: Op<Concat> = {
  name: 'concat',
  lower: ({ inputs, outputs: { y }, attrs: { skip } }) => {
    const tensors = present(inputs);
    const size = elements(y) / 4;
    const constants: Constants = { SIZE: size, CHANNELS: y.shape[3], SKIP: skip };
    let end = 0;
    for (let i = 0; i < MOST_JOINED; i++) {
      const t = tensors[i];
      end += t ? t.shape[3] - (i === 1 ? skip : 0) : 0;
      constants[`END${i}`] = end;
      constants[`PITCH${i}`] = t?.padded[3] ?? 0;
      if (i > 1) constants[`HAS${i}`] = t !== undefined;
    }
    return [
      {
        shader: 'shape/concat',
        constants,
        reads: inputs,
        writes: { y },
        workgroups: workgroupsFor(size),
        flops: 0,
      },
    ];
  },
  backward: ({ inputs, outputs: { y }, attrs: { skip }, name }, tape) => {
    const dy = tape.gradient(y)!;
    let start = 0;
    for (const [i, t] of present(inputs).entries()) {
      const from = i === 1 ? skip : 0;
      const offset = start - from;
      tape.contribute(t, ({ out, addend }) =>
        tape.graph.add(gatherOp, name, { x: dy, addend }, { y: out }, { ...PLAIN, offset, from }),
      );
      start += t.shape[3] - from;
    }
  },
};
