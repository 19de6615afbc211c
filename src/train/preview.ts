import { compile } from '../graph/compile';
import { Graph } from '../graph/graph';
import type { Plan } from '../graph/ir';
import type { Tuning } from '../graph/tuning';
import { copy } from '../ops/copy';
import { batchOf, type ImageSize, imageInput } from './programs';
import type { RunSettings } from './settings';

/** A program that makes the batch of a training step and nothing else: the output `shown` `[batch, height, width, 3]`. */
export function previewPlan(
  { train, settings, batch }: { train: ImageSize; settings: RunSettings; batch: number },
  tuning?: Tuning,
): { plan: Plan; isMixed: boolean } {
  const graph = new Graph();
  const images = imageInput({ settings }, 'train', train);
  const { x, mix } = batchOf(graph, { images, batch }, settings);
  copy(graph, 'shown', x, graph.tensor('shown', x.shape, { role: 'output' }));
  return { plan: compile(graph, { tuning }), isMixed: mix !== undefined };
}
