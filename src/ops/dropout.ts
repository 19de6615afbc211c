import { UserError } from '../errors';
import type { GraphBuilder, Op } from '../graph/ir';
import { elements, product, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';
import { type Prologue, prologueConstants } from './activation';

/**
 * torch.nn.functional.dropout in training: each element is zero with probability p, else divided by 1 - p. The mask is
 * a function of the step's seed and number, the layer's name and the element, made again in the backward pass.
 */
export function dropout(g: GraphBuilder, name: string, x: Tensor, p: number): Tensor {
  return drop(g, name, x, p, false);
}

/** torchvision.ops.stochastic_depth in training, mode "row": as dropout, but of whole samples of x `[n, h, w, c]`. */
export function stochasticDepth(g: GraphBuilder, name: string, x: Tensor, p: number): Tensor {
  return drop(g, name, x, p, true);
}

/** x may have a prologue. */
interface Drop {
  inputs: { x: Tensor; addend?: Tensor; coef?: Tensor };
  outputs: { y: Tensor };
  attrs: {
    p: number;
    /** whole samples are dropped */
    rows: boolean;
    /** what the layer's random numbers are drawn by */
    key: number;
  } & Prologue;
}

function drop(g: GraphBuilder, name: string, x: Tensor, p: number, rows: boolean): Tensor {
  if (!(p >= 0 && p <= 1))
    throw new UserError(`${name}: a probability of dropping must lie in 0 to 1, not ${p}.`);
  if (p === 0) return x;
  const y = g.tensor(name, x.shape);
  g.add(dropOp, name, { x }, { y }, { p, rows, key: hash(name) });
  return y;
}

/** FNV-1a: a layer draws the same numbers in whatever graph it stands. */
function hash(name: string): number {
  let h = 2166136261;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 16777619);
  return h >>> 0;
}

export const dropOp: Op<Drop> = {
  name: 'dropout',
  lower: ({ inputs: { x, addend, coef }, outputs: { y }, attrs: { p, rows, key, ...prologue } }) => {
    const size = elements(y) / 4;
    return [
      {
        shader: 'dropout/forward',
        constants: {
          SIZE: size,
          ...prologueConstants(prologue),
          IMAGE: product(y.padded.slice(1)) / 4,
          C4: y.padded.at(-1)! / 4,
          P: p,
          SCALE: p < 1 ? 1 / (1 - p) : 0,
          KEY: key,
          ROWS: rows,
          ADDEND: addend !== undefined,
        },
        reads: { x, addend, coef },
        writes: { y },
        workgroups: workgroupsFor(size),
        flops: elements(y),
      },
    ];
  },
  // the gradient goes through the same mask
  backward: ({ inputs: { x }, outputs: { y }, attrs, name }, tape) => {
    const dy = tape.gradient(y)!;
    tape.contribute(x, ({ out, addend }) =>
      tape.graph.add(dropOp, name, { x: dy, addend }, { y: out }, attrs),
    );
  },
};
