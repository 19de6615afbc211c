import { UserError } from '../errors';
import type { GraphBuilder, Op } from '../graph/ir';
import { elements, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';

/** Ops that move channels about: concatenation, slices, shuffles, and ResNet's parameterless shortcut. */

/** Tensors `[n, h, w, c_i]` side by side over channels, in order. */
export function concat(g: GraphBuilder, name: string, tensors: readonly Tensor[]): Tensor {
  return tensors.reduce((a, b, i) => {
    const y = g.tensor(i === tensors.length - 1 ? name : `${name} first ${i + 1}`, [
      ...a.shape.slice(0, 3),
      a.shape[3] + b.shape[3],
    ]);
    g.add(concatPair, name, { a, b }, { y }, { skip: 0 });
    return y;
  });
}

/** x with `first` `[n, h, w, p]` in the place of its first p channels: torch's `x[:, :p] = first`, into a new tensor. */
export function replaceChannels(g: GraphBuilder, name: string, x: Tensor, first: Tensor): Tensor {
  const y = g.tensor(name, x.shape);
  g.add(concatPair, name, { a: first, b: x }, { y }, { skip: first.shape[3] });
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
  g.add(gather, name, { x }, { y }, { ...PLAIN, offset: start });
  return y;
}

/** torch.nn.functional.channel_shuffle: channel j of group i goes to place i of group j. */
export function shuffleChannels(g: GraphBuilder, name: string, x: Tensor, groups: number): Tensor {
  if (x.shape[3] % groups)
    throw new UserError(`${name}: ${x.shape[3]} channels cannot be shuffled in ${groups} groups.`);
  const y = g.tensor(name, x.shape);
  g.add(gather, name, { x }, { y }, { ...PLAIN, groups });
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
  g.add(gather, name, { x }, { y }, { ...PLAIN, down: stride, offset: -before });
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

const gather: Op<Gather> = {
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
      tape.graph.add(gather, name, { x: dy, addend }, { y: out }, inverse),
    );
  },
};

interface ConcatPair {
  inputs: { a: Tensor; b: Tensor };
  outputs: { y: Tensor };
  /** how many of b's first channels are left out */
  attrs: { skip: number };
}

const concatPair: Op<ConcatPair> = {
  name: 'concat',
  lower: ({ inputs: { a, b }, outputs: { y }, attrs: { skip } }) => {
    const size = elements(y) / 4;
    return [
      {
        shader: 'shape/concat',
        constants: { SIZE: size, CA: a.shape[3], CB: b.shape[3], SKIP: skip },
        reads: { a, b },
        writes: { y },
        workgroups: workgroupsFor(size),
        flops: 0,
      },
    ];
  },
  backward: ({ inputs: { a, b }, outputs: { y }, attrs: { skip }, name }, tape) => {
    const dy = tape.gradient(y)!;
    const slice = (t: Tensor, offset: number, from: number) =>
      tape.contribute(t, ({ out, addend }) =>
        tape.graph.add(gather, name, { x: dy, addend }, { y: out }, { ...PLAIN, offset, from }),
      );
    slice(a, 0, 0);
    slice(b, a.shape[3] - skip, skip);
  },
};
