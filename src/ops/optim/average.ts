import type { Graph } from '../../graph/graph';
import type { Op } from '../../graph/ir';
import { bytesOf, elements, type Tensor } from '../../graph/tensor';
import { workgroupsFor } from '../../graph/workgroups';
import { arenaParts, arenaTensor } from './arenas';

/**
 * Moves the averages of all parameters and of the running statistics towards what they are now, by the step uniform's
 * `averageWeight`: arenas `average parameters` and `average state`. Add it behind the update.
 */
export function average(g: Graph): void {
  for (const [role, arena] of [
    ['parameter', 'parameters'],
    ['state', 'state'],
  ] as const) {
    arenaParts(g, role).forEach((size, part) => {
      if (size === 0) return;
      const values = arenaTensor(g, arena, part, size);
      g.add(averageOp, arena, { values }, { average: arenaTensor(g, `average ${arena}`, part, size) }, {});
    });
  }
}

/** The weight of the t-th step, counted from 1, in an average that forgets by `decay`: timm's, which is sooner warm. */
export const averageWeight = (decay: number, t: number): number => 1 - Math.min(decay, 1 - t ** (-2 / 3));

interface Average {
  inputs: { values: Tensor };
  outputs: { average: Tensor };
  attrs: Record<string, never>;
}

const averageOp: Op<Average> = {
  name: 'average',
  lower: ({ inputs: { values }, outputs: { average: out } }) => [
    {
      shader: 'optim/average',
      constants: {},
      reads: { values },
      writes: { average: out },
      workgroups: workgroupsFor(elements(values) / 4),
      flops: 3 * elements(values),
      bytes: 3 * bytesOf(values),
    },
  ],
};
