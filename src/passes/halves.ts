import { type Graph, isNodeOf } from '../graph/graph';
import { present } from '../graph/tensor';
import { convOps } from '../ops/conv/conv2d';
import { crossEntropyOp } from '../ops/loss/cross-entropy';

/**
 * Keeps the forward pass's activations as f16, in a graph that is fused: half the memory and traffic of what the backward
 * pass reads again. Logits, weights, statistics, sums and all gradients stay f32, so that nothing needs a loss scale.
 */
export function halveActivations(graph: Graph): void {
  const kept = new Set(
    graph.nodes.flatMap((node) => {
      if (isNodeOf(node, crossEntropyOp)) return [node.inputs.logits, node.outputs.dlogits];
      return isNodeOf(node, convOps.forward) ? [node.inputs.w] : [];
    }),
  );
  for (const { phase, outputs } of graph.nodes) {
    if (phase !== 'forward') continue;
    for (const t of present(outputs)) {
      const isActivation = t.role === 'activation' && t.shape.length === 4;
      if (isActivation && t.dtype === 'f32' && !kept.has(t))
        for (const each of present({ t, whole: t.view?.of })) each.dtype = 'f16';
    }
  }
}
