import type { Arena } from '../graph/memory';

/** What steps change. The rest of a run's memory is made anew: constants, images and the tables of parameter groups. */
export const KEPT_ARENAS = [
  'parameters',
  'state',
  'momentum',
  'second moment',
  'average parameters',
  'average state',
] as const satisfies readonly Arena[];
