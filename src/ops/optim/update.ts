import type { Graph } from '../../graph/graph';
import type { Constants, Op } from '../../graph/ir';
import type { Arena } from '../../graph/memory';
import { bytesOf, elements, type Tensor } from '../../graph/tensor';
import { workgroupsFor } from '../../graph/workgroups';
import { factoredLayers } from '../refocus/factored';
import { arenaParts, arenaTensor } from './arenas';
import { clipFactor } from './clip-norm';
import { groupsTensor } from './groups';

/** An optimiser's step on every parameter. */
export interface Update {
  name: 'sgd' | 'adamw';
  constants: Constants;
  flopsPerNumber: number;
  /** whether the step is linear in the gradient and the weight, without which a factored RefConv layer is not exact */
  linear: boolean;
  /** what it remembers */
  state: readonly ('momentum' | 'second moment')[];
  /** largest norm of the whole gradient; 0: no clipping */
  clipNorm: number;
  /** whether parameters have factors of their own on learning rate and weight decay: the host writes `groupTables` */
  groups?: boolean;
}

/**
 * Adds an optimiser's step to a graph: a dispatch over each part of the arenas, after the sums of a clipped norm. Throws
 * where the optimiser cannot train one of the layers.
 */
export function update(
  g: Graph,
  { name, linear, constants, flopsPerNumber, state, clipNorm, groups }: Update,
): void {
  g.phase = 'update';
  const factored = factoredLayers(g);
  if (factored.length > 0 && !linear)
    throw new Error(
      `${name} cannot train the factored layer "${factored[0].name}": use SGD, or the dense form of its map.`,
    );
  const sizes = arenaParts(g, 'parameter');
  const arena = (of: Arena, part: number) => arenaTensor(g, of, part, sizes[part]);
  const gradients = sizes.map((_, part) => arena('gradients', part));
  // a layer that this step does not differentiate has no part in the norm
  const trained = factored.filter(({ m }) => g.find('gradient', m.name));
  const clip = clipNorm > 0 ? clipFactor(g, gradients, trained, clipNorm) : undefined;
  const flags: Constants = { CLIP: clip !== undefined };
  if (groups) flags.GROUPS = true;
  const attrs = { name, constants: { ...constants, ...flags }, flopsPerNumber };
  sizes.forEach((size, part) => {
    const outputs = {
      parameters: arena('parameters', part),
      momentum: state.includes('momentum') ? arena('momentum', part) : undefined,
      secondMoment: state.includes('second moment') ? arena('second moment', part) : undefined,
    };
    const inputs = {
      gradients: gradients[part],
      clip,
      groups: groups ? groupsTensor(g, part, size) : undefined,
    };
    g.add(updateOp, name, inputs, outputs, attrs);
  });
}

interface UpdatePart {
  inputs: { gradients: Tensor; clip?: Tensor; groups?: Tensor };
  outputs: { parameters: Tensor; momentum?: Tensor; secondMoment?: Tensor };
  attrs: Pick<Update, 'name' | 'constants' | 'flopsPerNumber'>;
}

const updateOp: Op<UpdatePart> = {
  name: 'optimizer',
  lower: ({ inputs: { gradients, clip, groups }, outputs, attrs: { name, constants, flopsPerNumber } }) => {
    const { parameters, momentum, secondMoment } = outputs;
    const moments = [momentum, secondMoment].filter((t) => t !== undefined);
    return [
      {
        shader: `optim/${name}`,
        constants,
        reads: { gradients, clip, groups },
        writes: { parameters, momentum, second_moment: secondMoment },
        workgroups: workgroupsFor(elements(parameters) / 4),
        flops: flopsPerNumber * elements(parameters),
        // of the arenas all but the gradients are read and written
        bytes: (3 + 2 * moments.length) * bytesOf(parameters) + (groups ? bytesOf(groups) : 0),
      },
    ];
  },
};
