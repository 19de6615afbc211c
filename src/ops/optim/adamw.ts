import type { Graph } from '../../graph/graph';
import { update } from './update';

export interface AdamWOptions {
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  /** largest norm of the whole gradient; 0: no clipping */
  clipNorm: number;
  /** whether parameters have factors of their own (see `groupTables`) */
  groups?: boolean;
}

/**
 * One step of torch.optim.AdamW on every parameter of the graph, as `sgd` does it; the arenas `momentum` and
 * `second moment` hold the moments. The step uniform brings the learning rate and `adamCorrections`.
 * Throws on a factored RefConv layer: AdamW's step is not linear in the gradient.
 */
export function adamw(g: Graph, { beta1, beta2, eps, weightDecay, clipNorm, groups }: AdamWOptions): void {
  update(g, {
    name: 'adamw',
    linear: false,
    constants: {
      ONE_MINUS_BETA1: 1 - beta1,
      BETA2: beta2,
      ONE_MINUS_BETA2: 1 - beta2,
      EPS: eps,
      WEIGHT_DECAY: weightDecay,
    },
    flopsPerNumber: 14,
    state: ['momentum', 'second moment'],
    clipNorm,
    groups,
  });
}

/** AdamW's bias corrections 1 / (1 - beta^t) for the t-th step, counted from 1. */
export function adamCorrections(
  t: number,
  { beta1, beta2 }: Pick<AdamWOptions, 'beta1' | 'beta2'>,
): { correction1: number; correction2: number } {
  return { correction1: 1 / (1 - beta1 ** t), correction2: 1 / (1 - beta2 ** t) };
}
