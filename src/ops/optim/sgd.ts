import type { Graph } from '../../graph/graph';
import { update } from './update';

export interface SgdOptions {
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
  /** largest norm of the whole gradient; 0: no clipping */
  clipNorm: number;
  /** whether parameters have factors of their own (see `groupTables`) */
  groups?: boolean;
}

/**
 * One step of torch.optim.SGD on every parameter of the graph, in one dispatch over the arenas `parameters`,
 * `gradients` and `momentum`. The learning rate is the step uniform's. Add it after the backward pass; the arenas of
 * gradients and momentum start at zero, and what should not move is a constant, no parameter.
 */
export function sgd(g: Graph, { momentum, nesterov, weightDecay, clipNorm, groups }: SgdOptions): void {
  update(g, {
    name: 'sgd',
    linear: true,
    constants: { MOMENTUM: momentum, NESTEROV: nesterov, WEIGHT_DECAY: weightDecay },
    flopsPerNumber: 8,
    state: momentum === 0 ? [] : ['momentum'],
    clipNorm,
    groups,
  });
}
