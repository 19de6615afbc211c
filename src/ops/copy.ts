import type { Dispatch, GraphBuilder, NoAttributes, Op } from '../graph/ir';
import { elements, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';

/** out = x, into a tensor that the host reads. Not differentiable: it taps a graph, it is no part of it. */
export function copy(g: GraphBuilder, name: string, x: Tensor, out: Tensor): void {
  g.add(copyOp, name, { x }, { out }, {});
}

/** y = a + b, same shapes. */
export function add(g: GraphBuilder, name: string, a: Tensor, b: Tensor): Tensor {
  const y = g.tensor(name, a.shape, { padded: a.padded });
  g.add(addOp, name, { a, b }, { y }, {});
  return y;
}

/** out = x + addend, or x alone. */
const copyDispatch = (x: Tensor, addend: Tensor | undefined, out: Tensor): Dispatch => ({
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

interface Add {
  inputs: { a: Tensor; b: Tensor };
  outputs: { y: Tensor };
  attrs: NoAttributes;
}

export const addOp: Op<Add> = {
  name: 'add',
  lower: ({ inputs: { a, b }, outputs: { y } }) => [copyDispatch(a, b, y)],
  backward: ({ inputs: { a, b }, outputs: { y }, name }, tape) => {
    const dy = tape.gradient(y)!;
    const join = (p: Tensor, q: Tensor, out: Tensor) =>
      tape.graph.add(addOp, name, { a: p, b: q }, { y: out }, {});
    tape.pass(a, dy, join);
    tape.pass(b, dy, join);
  },
};
