import type { Graph } from '../graph/graph';
import { convOps } from '../ops/conv/conv2d';
import { crossEntropyOp } from '../ops/loss/cross-entropy';

/**
 * Keeps the forward pass's activations as f16, in a graph that is fused: half the memory and traffic of what the backward
 * pass reads again. Logits, weights, statistics, sums and all gradients stay f32, so that nothing needs a loss scale.
 */
export function halveActivations(graph: Graph): void {
  const kept = new Set(
    graph.nodes.flatMap(({ op, inputs }) => {
      if (op === crossEntropyOp) return [inputs[0]];
      return op === convOps.forward ? [inputs[1]] : [];
    }),
  );
  for (const { phase, outputs } of graph.nodes) {
    const [y] = outputs;
    const isActivation = phase === 'forward' && y.role === 'activation' && y.shape.length === 4;
    if (isActivation && y.dtype === 'f32' && !kept.has(y)) y.dtype = 'f16';
  }
}
