/** What each layer of a model comes to on an image of one size. */
import { Graph } from '../graph/graph';
import { product } from '../graph/tensor';
import { instantiate } from './instantiate';
import type { Layer, Model } from './model';

export interface LayerCost {
  /** of the layer's output on one image: height, width, channels */
  shape: [number, number, number];
  /** of convolutions and linear layers */
  multiplyAdds: number;
}

/**
 * Shapes and costs by the value that each layer writes; the image is value 0.
 * @throws UserError where the image is too small for the network
 */
export function layerCosts(model: Model, height: number, width: number): Map<number, LayerCost> {
  const graph = new Graph();
  const x = graph.tensor('x', [1, height, width, model.input.channels], { role: 'input' });
  const { values } = instantiate(model, graph, x, { training: false });
  const costs = new Map<number, LayerCost>([[0, costOf(values.get(0)!.shape)]]);
  for (const layer of model.layers) costs.set(layer.id, costOf(values.get(layer.id)!.shape, layer));
  return costs;
}

function costOf([, height, width, channels]: readonly number[], layer?: Layer): LayerCost {
  const perNumber = layer?.kind === 'conv' || layer?.kind === 'linear' ? product(layer.shape.slice(1)) : 0;
  return { shape: [height, width, channels], multiplyAdds: height * width * channels * perNumber };
}
