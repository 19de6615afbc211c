import type { Dispatch, GraphBuilder, LowerContext, NoAttributes, Op } from '../graph/ir';
import { elements, pad4, type Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import { workgroupsFor } from '../graph/workgroups';
import { sharing, splitsFor } from './blocks';

/** Where the parts of a sum go, and the dispatches that add them: a single part is the sum itself. */
export function partsOf(
  name: string,
  out: Tensor,
  parts: number,
  { tuning, temporary }: LowerContext,
): { partial: Tensor; finish: Dispatch[] } {
  if (parts === 1) return { partial: out, finish: [] };
  const partial = temporary(`${name} partial`, [parts, elements(out)]);
  return { partial, finish: [sumSplits(partial, out, parts, tuning)] };
}

/** out = the sum of the `splits` parts of `partial`, in a fixed order. */
function sumSplits(partial: Tensor, out: Tensor, splits: number, tuning: Tuning): Dispatch {
  const size = elements(out) / 4;
  const { constants, workgroups } = sharing(splits, size, tuning);
  return {
    shader: 'reduce/sum_splits',
    constants: { ...constants, SIZE: size, SPLITS: splits },
    reads: { partial },
    writes: { out },
    workgroups,
    flops: elements(partial),
  };
}

/** db[c] = sum of dy[n, h, w, c] over n, h, w: the gradient of a bias. */
export function biasGradient(g: GraphBuilder, name: string, dy: Tensor, db: Tensor): void {
  g.add(sumRowsOp, name, { dy }, { db }, {});
}

interface SumRows {
  inputs: { dy: Tensor };
  outputs: { db: Tensor };
  attrs: NoAttributes;
}

export const sumRowsOp: Op<SumRows> = {
  name: 'sum_rows',
  lower: ({ inputs: { dy }, outputs: { db }, name }, context) => {
    const c4 = pad4(dy.shape.at(-1)!) / 4;
    const rows = elements(dy) / (c4 * 4);
    const splits = splitsFor(rows, c4, context.tuning.threads);
    const { partial, finish } = partsOf(name, db, splits, context);
    return [
      {
        shader: 'reduce/sum_rows',
        constants: { ROWS: rows, C4: c4, SPLITS: splits },
        reads: { x: dy },
        writes: { partial },
        workgroups: workgroupsFor(splits * c4),
        flops: elements(dy),
      },
      ...finish,
    ];
  },
};
