import { openFeed } from '../data/feed';
import { evaluationOrder } from '../data/order';
import type { LabelledImages } from '../data/types';
import type { Gpu } from '../gpu/device';
import { compile } from '../graph/compile';
import { Graph } from '../graph/graph';
import type { Plan } from '../graph/ir';
import type { StateDict } from '../io/tensor';
import { instantiate } from '../model/instantiate';
import { activationLayout, type Layout, unpack } from '../model/layout';
import type { Model } from '../model/model';
import { loadState } from '../model/state';
import { adaptiveAvgPool2d } from '../ops/adaptive-pool';
import { copy } from '../ops/copy';
import { standardPasses } from '../passes/standard';
import { Session } from '../runtime/session';
import type { Normalisation } from './evaluate';
import { heldImages, mostHeld } from './held';
import { batchOf } from './programs';

/** What a network makes of a batch in some of its layers. */
export interface FeatureBatch {
  /** the images, by number */
  images: Uint32Array;
  /** of each value, a row an image: channels, then the rows and columns of what it was pooled to */
  features: Float32Array[];
}

export interface FeatureOptions extends Normalisation {
  batch: number;
  /** which values of the model */
  values: readonly number[];
  /** side in pixels of what a value is averaged to where it is larger */
  side: number;
  /** called before each batch; what it throws ends the work */
  goOn?: () => void;
}

/**
 * The values of some layers of a plain network in evaluation, batch by batch in the order of an evaluation; what is left over
 * makes a last batch of fewer. Makes a session of its own and frees it at the end, or where the caller stops.
 */
export async function* networkFeatures(
  gpu: Gpu,
  model: Model,
  state: StateDict,
  images: LabelledImages,
  { batch: asked, goOn, ...options }: FeatureOptions,
): AsyncGenerator<FeatureBatch, void, undefined> {
  const { count } = images;
  const batch = Math.min(asked, count);
  const held = heldImages(images, batch, mostHeld(gpu));
  const { plan, layouts } = featuresPlan(gpu, model, images, { ...options, batch, held });
  const session = await Session.create(gpu, { features: plan });
  try {
    loadState(session, model, state);
    const feed = await openFeed(session, 'test', images, held);
    const order = evaluationOrder(count);
    feed.begin(order);
    for (let first = 0; first < count; first += batch) {
      goOn?.();
      const rows = Math.min(batch, count - first);
      await feed.ready(first, rows);
      const outputs = layouts.map((_, i) => `output:features ${i}`);
      const read = await session.runAndRead('features', { batchOffset: first, rows }, ...outputs);
      const features = read.map((data, i) => {
        const all = unpack(data, layouts[i]);
        return all.subarray(0, (all.length / batch) * rows);
      });
      yield { images: order.subarray(first, first + rows), features };
    }
  } finally {
    session.destroy();
  }
}

function featuresPlan(
  { tuning }: Gpu,
  model: Model,
  { count, height, width, crop }: LabelledImages,
  {
    batch,
    held,
    values,
    side,
    mean,
    std,
  }: Pick<FeatureOptions, 'batch' | 'values' | 'side' | 'mean' | 'std'> & {
    held: number;
  },
): { plan: Plan; layouts: Layout[] } {
  const graph = new Graph();
  const images = { name: 'test', count, held, height, width, crop, mean, std };
  const { x } = batchOf(graph, { images, batch, model });
  const instance = instantiate(model, graph, x, { training: false });
  const layouts = values.map((id, i) => {
    const value = instance.values.get(id)!;
    const [n, h, w, c] = value.shape;
    const [rows, columns] = [Math.min(h, side), Math.min(w, side)];
    const pooled =
      rows < h || columns < w ? adaptiveAvgPool2d(graph, `pooled ${i}`, value, [rows, columns]) : value;
    copy(graph, `features ${i}`, pooled, graph.tensor(`features ${i}`, pooled.shape, { role: 'output' }));
    return activationLayout([n, c, rows, columns]);
  });
  return { plan: compile(graph, { passes: standardPasses(), tuning }), layouts };
}
