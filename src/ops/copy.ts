import type { GraphBuilder, Op } from '../graph/ir';
import { elements, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';

/** out = x, into a tensor that the host reads. Not differentiable: it taps a graph, it is no part of it. */
export function copy(g: GraphBuilder, name: string, x: Tensor, out: Tensor): void {
  g.add(copyOp, name, [x], [out], {});
}

/** y = a + b, same shapes. */
export function add(g: GraphBuilder, name: string, a: Tensor, b: Tensor): Tensor {
  const y = g.tensor(name, a.shape, { padded: a.padded });
  g.add(addOp, name, [a, b], [y], {});
  return y;
}

const lower: Op['lower'] = ({ inputs: [x, addend], outputs: [out] }) => [
  {
    shader: 'shape/copy',
    constants: { SIZE: elements(out) / 4, ADDEND: addend !== undefined },
    reads: { x, addend },
    writes: { out },
    workgroups: workgroupsFor(elements(out) / 4),
    flops: addend ? elements(out) : 0,
  },
];

const copyOp: Op = { name: 'copy', lower };

/** y = a + b, inputs a, b. */
export const addOp: Op = {
  name: 'add',
  lower,
  backward: ({ inputs: [a, b], outputs: [y], name }, tape) => {
    const dy = tape.gradient(y)!;
    const join = (p: Tensor, q: Tensor, out: Tensor) => tape.graph.add(addOp, name, [p, q], [out], {});
    tape.pass(a!, dy, join);
    tape.pass(b!, dy, join);
  },
};
