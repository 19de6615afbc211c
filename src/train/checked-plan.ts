import { compile } from '../graph/compile';
import type { Graph } from '../graph/graph';
import type { ArenaLayout, Node, Plan } from '../graph/ir';
import { elements, present, type Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import { notFinite } from '../ops/not-finite';
import { ALL_FUSIONS, type Fusions } from '../passes/fusion';
import { standardPasses } from '../passes/standard';
import type { NonFinite } from './non-finite';
import type { RunSettings } from './settings';

/** An output of a plan that tells whether what a node wrote is finite. */
interface Check {
  node: Node;
  output: string;
}

/** A plan that checks whatever its layers write, each apart. */
export interface CheckedPlan {
  plan: Plan;
  /** in order of execution */
  checks: Check[];
}

/** Each layer writes what it computes: nothing is done within another. */
const NOT_FUSED = Object.fromEntries(
  Object.keys(ALL_FUSIONS).map((name) => [name, false]),
) as unknown as Fusions;

/**
 * The plan of a step or an evaluation with a check behind every layer, forward and backward.
 * @param layout of the plans that it shares arenas with
 */
export function checkedPlan(
  graph: Graph,
  { storage }: Pick<RunSettings, 'storage'>,
  { layout, tuning }: { layout: ArenaLayout; tuning?: Tuning },
): CheckedPlan {
  const checks: Check[] = [];
  const passes = [
    ...standardPasses({ fusions: NOT_FUSED, storage }),
    { graph: (copy: Graph) => void checks.push(...addChecks(copy)) },
  ];
  return { plan: compile(graph, { passes, layout, tuning }), checks };
}

function addChecks(graph: Graph): Check[] {
  const checks: Check[] = [];
  const nodes = graph.nodes;
  graph.nodes = [];
  for (const node of nodes) {
    graph.nodes.push(node);
    if (node.phase === 'update') continue;
    graph.phase = node.phase;
    for (const t of present(node.outputs).filter(isChecked)) {
      const name = `check ${checks.length}`;
      notFinite(graph, name, t);
      checks.push({ node, output: `output:${name}` });
    }
  }
  return checks;
}

const isChecked = (t: Tensor): boolean =>
  (t.role === 'activation' || t.role === 'gradient' || t.role === 'state') &&
  (t.dtype === 'f32' || t.dtype === 'f16') &&
  elements(t) % 4 === 0;

/** The places of all persistent tensors of some plans. */
export const layoutOf = (plans: readonly Plan[]): ArenaLayout =>
  Object.assign({}, ...plans.map(({ tensors }) => tensors));

/** The first check that failed, as what is said of it. @param flags of each check, in order */
export function firstFailed(
  checks: readonly Check[],
  flags: readonly Float32Array[],
): Omit<NonFinite, 'step'> | undefined {
  const at = flags.findIndex(([flag]) => flag > 0);
  if (at < 0) return undefined;
  const { op, name, phase } = checks[at].node;
  const isLoss = op.name === 'cross_entropy';
  return { pass: isLoss ? 'loss' : phase === 'forward' ? 'forward' : 'backward', layer: name, kind: op.name };
}
