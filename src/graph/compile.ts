import type { Graph } from './graph';
import type { ArenaLayout, Dispatch, Lowered, Plan, Tensors } from './ir';
import { planOf } from './plan';
import { bytesOf, present } from './tensor';
import { GPU_TUNING, type Tuning } from './tuning';

/** A rewrite on the way from a graph to its plan, of the nodes or of the dispatches that they become. */
export interface Pass {
  /** changes a graph in place: it is a copy of the given one */
  graph?(graph: Graph, tuning: Tuning): void;
  dispatches?(lowered: Lowered[], tuning: Tuning): Lowered[];
}

export interface CompileOptions {
  /** rewrites in order; default: none, every op as it stands */
  passes?: readonly Pass[];
  /** places of persistent tensors, shared by the plans of a session and grown by each; default: a new one */
  layout?: ArenaLayout;
  /** default: a GPU's */
  tuning?: Tuning;
}

/**
 * The one way from a graph to its plan: rewrites the graph, lowers every node to dispatches, rewrites these and places
 * every tensor. The graph stays as it is, so that it can be compiled again for another tuning.
 */
export function compile(
  graph: Graph,
  { passes = [], layout = {}, tuning = GPU_TUNING }: CompileOptions = {},
): Plan {
  const copy = graph.clone();
  for (const pass of passes) pass.graph?.(copy, tuning);
  const lowered = passes.reduce((all, pass) => pass.dispatches?.(all, tuning) ?? all, lower(copy, tuning));
  return planOf(lowered, layout);
}

function lower(graph: Graph, tuning: Tuning): Lowered[] {
  const context = {
    tuning,
    temporary: (name: string, shape: readonly number[], padded?: readonly number[]) =>
      graph.tensor(name, shape, { padded }),
  };
  return graph.nodes.flatMap((node) =>
    node.op.lower(node, context).map((dispatch) => ({ node, dispatch: withoutViews(dispatch) })),
  );
}

/** A dispatch that binds what its tensors are views of, and moves no more than these. */
function withoutViews(dispatch: Dispatch): Dispatch {
  const { reads, writes } = dispatch;
  const tensors = [...present(reads), ...present(writes)];
  if (!tensors.some(({ view }) => view)) return dispatch;
  const bytes = dispatch.bytes ?? tensors.reduce((sum, t) => sum + bytesOf(t), 0);
  const wholes = (bound: Tensors): Tensors =>
    Object.fromEntries(Object.entries(bound).map(([name, t]) => [name, t?.view?.of ?? t]));
  return { ...dispatch, bytes, reads: wholes(reads), writes: wholes(writes) };
}
