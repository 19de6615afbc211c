import type { Dispatch, GraphBuilder, NoAttributes, Op } from '../graph/ir';
import { elements, pad4, type Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import { workgroupsFor } from '../graph/workgroups';
import { sharing, splitsFor } from './blocks';

/** out = the sum of the `splits` parts of `partial`, in a fixed order. */
export function sumSplits(partial: Tensor, out: Tensor, splits: number, tuning: Tuning): Dispatch {
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
  g.add(sumRows, name, { dy }, { db }, {});
}

interface SumRows {
  inputs: { dy: Tensor };
  outputs: { db: Tensor };
  attrs: NoAttributes;
}

const sumRows: Op<SumRows> = {
  name: 'sum_rows',
  lower: ({ inputs: { dy }, outputs: { db }, name }, { tuning, temporary }) => {
    const c4 = pad4(dy.shape.at(-1)!) / 4;
    const rows = elements(dy) / (c4 * 4);
    const splits = splitsFor(rows, c4, tuning.threads);
    const partial = temporary(`${name} partial`, [splits, c4 * 4]);
    return [
      {
        shader: 'reduce/sum_rows',
        constants: { ROWS: rows, C4: c4, SPLITS: splits },
        reads: { x: dy },
        writes: { partial },
        workgroups: workgroupsFor(splits * c4),
        flops: elements(dy),
      },
      sumSplits(partial, db, splits, tuning),
    ];
  },
};
