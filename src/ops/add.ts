import type { GraphBuilder, NoAttributes, Op } from '../graph/ir';
import type { Tensor } from '../graph/tensor';
import { copyDispatch } from './copy';

/** y = a + b, same shapes. */
export function add(g: GraphBuilder, name: string, a: Tensor, b: Tensor): Tensor {
  const y = g.tensor(name, a.shape, { padded: a.padded });
  g.add(addOp, name, { a, b }, { y }, {});
  return y;
}

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
