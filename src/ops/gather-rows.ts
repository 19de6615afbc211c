import type { GraphBuilder, NoAttributes, Op } from '../graph/ir';
import { elements, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';

/**
 * What the images of a batch are to be told as, where that is more than a class: rows of the table f32 `[images, size]` in the
 * order of the batch (see `gather`), f32 `[batch, size]`. `size` is a multiple of four; entries from the step's rows on are zero.
 */
export function gatherRows(
  g: GraphBuilder,
  name: string,
  { table, order, batch }: { table: Tensor; order: Tensor; batch: number },
): Tensor {
  const out = g.tensor(name, [batch, table.shape[1]]);
  g.add(gatherRowsOp, name, { table, order }, { out }, {});
  return out;
}

interface GatherRows {
  inputs: { table: Tensor; order: Tensor };
  outputs: { out: Tensor };
  attrs: NoAttributes;
}

const gatherRowsOp: Op<GatherRows> = {
  name: 'gather_rows',
  lower: ({ inputs: { table, order }, outputs: { out } }) => [
    {
      shader: 'data/gather_rows',
      constants: { N: out.shape[0], SIZE4: out.padded[1] / 4 },
      reads: { rows: table, order },
      writes: { out },
      workgroups: workgroupsFor(elements(out) / 4),
      flops: 0,
      bytes: 8 * elements(out) + 4 * out.shape[0],
    },
  ],
};
