import type { Graph } from '../../graph/graph';
import type { NoAttributes, Op } from '../../graph/ir';
import { bytesOf, elements, type Tensor } from '../../graph/tensor';
import { workgroupsFor } from '../../graph/workgroups';
import { arenaParts, arenaTensor } from './arenas';

/**
 * Which micro-batch of its batch a step is of: the gradients of all but the last are added to the arena `gradient sums`; the
 * last has the sums in the place of its own gradients and leaves zeros there, as that arena starts.
 */
export type Accumulation = 'more' | 'last';

/** Adds the gradients of a micro-batch up. Add it behind the backward pass, before the update. */
export function accumulate(g: Graph, which: Accumulation): void {
  g.phase = 'update';
  arenaParts(g, 'parameter').forEach((size, part) => {
    const gradients = arenaTensor(g, 'gradients', part, size);
    const sums = arenaTensor(g, 'gradient sums', part, size);
    g.add(which === 'last' ? accumulateLast : accumulateMore, 'gradients', {}, { gradients, sums }, {});
  });
}

interface Accumulate {
  inputs: Record<string, never>;
  outputs: { gradients: Tensor; sums: Tensor };
  attrs: NoAttributes;
}

const accumulateOp = (last: boolean): Op<Accumulate> => ({
  name: 'accumulate',
  lower: ({ outputs: { gradients, sums } }) => [
    {
      shader: 'optim/accumulate',
      constants: { LAST: last },
      reads: {},
      writes: { gradients, sums },
      workgroups: workgroupsFor(elements(sums) / 4),
      flops: elements(sums),
      bytes: (last ? 4 : 3) * bytesOf(sums),
    },
  ],
});

const accumulateMore = accumulateOp(false);
const accumulateLast = accumulateOp(true);
