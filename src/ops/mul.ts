import type { GraphBuilder, Op } from '../graph/ir';
import { elements, product, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';
import { type Prologue, prologueConstants } from './activation';
import { splitsFor } from './blocks';
import { partsOf } from './reduce';

/**
 * y = factor * a * b with a `[n, h, w, c]` and b of the same shape (a gated convolution), or broadcast over the pixels:
 * `[n, 1, 1, c]` (a squeeze-and-excitation's gate) or a vector `[c]` (a layer scale).
 */
export function mul(g: GraphBuilder, name: string, a: Tensor, b: Tensor, factor = 1): Tensor {
  const y = g.tensor(name, a.shape);
  g.add(mulOp, name, { a, b }, { y }, { factor });
  return y;
}

interface Factor {
  factor: number;
}

/** How many rows of a share a row of b, and how many such segments a has. */
function segments(a: Tensor, b: Tensor): { ROWS_PER_B_ROW: number; B_ROWS: number } {
  const count = elements(b) / a.padded[3];
  return { ROWS_PER_B_ROW: product(a.shape.slice(0, 3)) / count, B_ROWS: count };
}

interface Forward {
  inputs: { a: Tensor; b: Tensor; addend?: Tensor };
  outputs: { y: Tensor };
  attrs: Factor;
}

export const mulOp: Op<Forward> = {
  name: 'mul',
  lower: ({ inputs: { a, b, addend }, outputs: { y }, attrs: { factor } }) => {
    const size = elements(y) / 4;
    return [
      {
        shader: 'multiply/forward',
        constants: {
          SIZE: size,
          C4: a.padded[3] / 4,
          ROWS_PER_B_ROW: segments(a, b).ROWS_PER_B_ROW,
          FACTOR: factor,
          ADDEND: addend !== undefined,
        },
        reads: { a, b, addend },
        writes: { y },
        workgroups: workgroupsFor(size),
        flops: elements(y),
      },
    ];
  },
  backward: ({ inputs: { a, b }, outputs: { y }, attrs, name }, tape) => {
    const dy = tape.gradient(y)!;
    const isFirst = !tape.gradient(a) && !tape.gradient(b);
    if (segments(a, b).ROWS_PER_B_ROW === 1 && a !== b && isFirst && tape.needs(a) && tape.needs(b)) {
      tape.contribute(a, ({ out: da }) =>
        tape.contribute(b, ({ out: db }) =>
          tape.graph.add(backwardBoth, name, { dy, a, b }, { da, db }, attrs),
        ),
      );
      return;
    }
    tape.contribute(a, ({ out, addend }) =>
      tape.graph.add(mulOp, name, { a: dy, b, addend }, { y: out }, attrs),
    );
    tape.contribute(b, ({ out, addend }) =>
      tape.graph.add(mulFactorGradient, name, { dy, a, addend }, { db: out }, attrs),
    );
  },
};

interface BackwardFactor {
  inputs: { dy: Tensor; a: Tensor; addend?: Tensor; coef?: Tensor };
  /** `sum` `[c]`: the sum of dy over all rows */
  outputs: { db: Tensor; sum?: Tensor };
  attrs: Factor & Prologue;
}

/** The gradient of the b of a product that the rows of a share: db = factor * sum of dy * a over them; a may have a prologue. */
export const mulFactorGradient: Op<BackwardFactor> = {
  name: 'mul_backward_factor',
  lower: ({ inputs: { dy, a, addend, coef }, outputs: { db, sum }, attrs, name }, context) => {
    const shape = segments(a, db);
    const c4 = a.padded[3] / 4;
    // with an addend the one dispatch must finish the sum
    const splits = addend ? 1 : splitsFor(shape.ROWS_PER_B_ROW, shape.B_ROWS * c4, context.tuning.threads);
    const { partial, finish } = partsOf(name, db, splits, context);
    const rowSums = sum && partsOf(`${name} bias`, sum, splits * shape.B_ROWS, context);
    const sums = {
      shader: 'multiply/backward_factor',
      constants: {
        ...shape,
        ...prologueConstants(attrs),
        C4: c4,
        SPLITS: splits,
        FACTOR: attrs.factor,
        ADDEND: addend !== undefined,
        BIAS: sum !== undefined,
      },
      reads: { dy, a, addend, coef },
      writes: { partial, bias_partial: rowSums?.partial },
      workgroups: workgroupsFor(splits * shape.B_ROWS * c4),
      flops: 2 * elements(a),
    };
    return [sums, ...finish, ...(rowSums?.finish ?? [])];
  },
};

interface BackwardBoth {
  inputs: { dy: Tensor; a: Tensor; b: Tensor };
  outputs: { da: Tensor; db: Tensor };
  attrs: Factor;
}

/** Both gradients of a product of tensors of one shape, which read the same three. */
const backwardBoth: Op<BackwardBoth> = {
  name: 'mul_backward',
  lower: ({ inputs, outputs, attrs: { factor } }) => {
    const size = elements(outputs.da) / 4;
    return [
      {
        shader: 'multiply/backward',
        constants: { SIZE: size, FACTOR: factor },
        reads: inputs,
        writes: outputs,
        workgroups: workgroupsFor(size),
        flops: 4 * elements(outputs.da),
      },
    ];
  },
};
