import type { Plan } from '../graph/ir';
import type { Model } from '../model/model';
import type { TensorWriter } from '../model/state';
import { type GroupFactors, groupTables } from '../ops/optim/groups';
import type { RunSettings } from './settings';

/** What a step trains: every parameter, or the head's alone. */
export type Part = 'all' | 'head';

type Grouping = Pick<RunSettings, 'headLr' | 'decayNorms'>;

/** Whether a step needs a table of factors: not where all of them are 1. */
export const isGrouped = ({ headLr, decayNorms }: Grouping, part: Part): boolean =>
  part === 'head' || headLr !== 1 || !decayNorms;

/** Whether a parameter is the head's; its map in either form is. */
export const isOfHead = ({ head }: Model, parameter: string): boolean =>
  parameter.startsWith(`${head.name}.`);

/**
 * Factors of each parameter, by name: the head's rate is `headLr` times the others', and vectors (of norms, biases, layer
 * scales) decay only with `decayNorms`, as timm's param groups have it. Where the head trains alone nothing else moves.
 */
export function factorsOf(model: Model, { headLr, decayNorms }: Grouping, part: Part) {
  const vectors = new Set(model.state.filter(({ layout }) => layout.view.length === 1).map((e) => e.name));
  return (parameter: string): GroupFactors => {
    const decay = decayNorms || !vectors.has(parameter) ? 1 : 0;
    if (isOfHead(model, parameter)) return { lr: headLr, decay };
    return part === 'head' ? { lr: 0, decay: 0 } : { lr: 1, decay };
  };
}

/** Writes the factors that steps of that plan read; `session` is where it runs. */
export function writeGroups(
  session: TensorWriter,
  { tensors }: Plan,
  model: Model,
  settings: Grouping,
  part: Part,
): void {
  if (!isGrouped(settings, part)) return;
  const parameters = Object.entries(tensors)
    .filter(([key]) => key.startsWith('parameter:'))
    .map(([key, range]) => [key.slice('parameter:'.length), range] as const);
  const tables = groupTables(new Map(parameters), factorsOf(model, settings, part));
  for (const [key, table] of tables) session.write(key, table);
}
