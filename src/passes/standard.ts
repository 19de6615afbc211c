import type { Pass } from '../graph/compile';
import type { Lowered } from '../graph/ir';
import { ALL_FUSIONS, type Fusions, fuse } from './fusion';
import { halveActivations } from './halves';
import { withinLimit } from './limit';
import { mergeSums } from './merge-sums';

export interface PassOptions {
  /** default: all */
  fusions?: Fusions;
  /** what activations of the forward pass are kept as; default: f32 */
  storage?: 'f32' | 'f16';
  /** bytes that a step may take, images apart; default: no limit */
  limit?: number;
}

/** The passes that a network goes through on its way to a plan. */
export const standardPasses = ({
  fusions = ALL_FUSIONS,
  storage = 'f32',
  limit = 0,
}: PassOptions = {}): readonly Pass[] => [
  { graph: (graph, tuning) => fuse(graph, tuning, fusions) },
  ...(storage === 'f16' ? [{ graph: halveActivations }] : []),
  ...(fusions.weightSums ? [{ dispatches: mergeSums }] : []),
  // last: it counts what the others have made
  ...(limit > 0 ? [{ dispatches: (lowered: Lowered[]) => withinLimit(lowered, limit) }] : []),
];
