import { compile } from '../graph/compile';
import { Graph } from '../graph/graph';
import type { Plan } from '../graph/ir';
import type { Tuning } from '../graph/tuning';
import type { Model } from '../model/model';
import { copy } from '../ops/copy';
import { batchOf } from './programs';
import { type ImageSize, imageInput } from './run-programs';
import type { RunSettings } from './settings';

/** What a preview's batch is drawn from, and the network that it is for; without one it is in colour. */
export interface PreviewOptions {
  train: ImageSize;
  settings: RunSettings;
  batch: number;
  model?: Model;
}

/** A program that makes the batch of a training step and nothing else: the output `shown` `[batch, height, width, channels]`. */
export function previewPlan(
  { train, settings, batch, model }: PreviewOptions,
  tuning?: Tuning,
): { plan: Plan; isMixed: boolean } {
  const graph = new Graph();
  const images = imageInput({ settings }, 'train', train);
  const { x, mix } = batchOf(graph, { images, batch, model }, settings);
  copy(graph, 'shown', x, graph.tensor('shown', x.shape, { role: 'output' }));
  return { plan: compile(graph, { tuning }), isMixed: mix !== undefined };
}
