import type { Dispatch, GraphBuilder, NoAttributes, Op } from '../graph/ir';
import { elements, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';

/** out = x, into a tensor that the host reads. Not differentiable: it taps a graph, it is no part of it. */
export function copy(g: GraphBuilder, name: string, x: Tensor, out: Tensor): void {
  g.add(copyOp, name, { x }, { out }, {});
}

/** out = x + addend, or x alone. */
export const copyDispatch = (x: Tensor, addend: Tensor | undefined, out: Tensor): Dispatch => ({
  shader: 'shape/copy',
  constants: { SIZE: elements(out) / 4, ADDEND: addend !== undefined },
  reads: { x, addend },
  writes: { out },
  workgroups: workgroupsFor(elements(out) / 4),
  flops: addend ? elements(out) : 0,
});

interface Copy {
  inputs: { x: Tensor };
  outputs: { out: Tensor };
  attrs: NoAttributes;
}

const copyOp: Op<Copy> = {
  name: 'copy',
  lower: ({ inputs: { x }, outputs: { out } }) => [copyDispatch(x, undefined, out)],
};
