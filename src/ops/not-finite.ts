import type { GraphBuilder, NoAttributes, Op } from '../graph/ir';
import { elements, type Tensor } from '../graph/tensor';

/**
 * Adds the output `name` `[1]`: 0 where every number of x is finite. Not differentiable: it taps a graph, it is no part of it.
 * @param x of f32 or f16, in memory a multiple of four elements
 */
export function notFinite(g: GraphBuilder, name: string, x: Tensor): void {
  g.add(notFiniteOp, name, { x }, { out: g.tensor(name, [1], { role: 'output' }) }, {});
}

interface NotFinite {
  inputs: { x: Tensor };
  outputs: { out: Tensor };
  attrs: NoAttributes;
}

const notFiniteOp: Op<NotFinite> = {
  name: 'not_finite',
  lower: ({ inputs: { x }, outputs: { out } }) => [
    {
      shader: 'reduce/not_finite',
      constants: { SIZE: elements(x) / 4 },
      reads: { x },
      writes: { out },
      workgroups: [1, 1, 1],
      flops: 0,
    },
  ],
};
