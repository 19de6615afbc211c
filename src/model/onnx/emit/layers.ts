/** Layers of a model as ONNX's operators. */
import type { Layer } from '../../model';
import { activation } from './activations';
import { blocks, concat, replace, shuffle, slice, subsample } from './channels';
import { batchNorm, layerNorm, responseNorm } from './norms';
import { adaptivePool, conv, linear, pool } from './windows';
import type { GraphWriter, Value } from './writer';

/** What works on each number, or on the channels of a pixel, takes rows as they are. */
const TAKES_ROWS: readonly Layer['kind'][] = ['linear', 'activation', 'layer_norm', 'dropout'];

/**
 * Adds a layer's nodes; tells what comes out of them.
 * @param shape of what the layer makes
 */
export function emitLayer(
  w: GraphWriter,
  layer: Layer,
  given: readonly Value[],
  shape: Value['shape'],
): Value {
  const inputs = TAKES_ROWS.includes(layer.kind) ? given : given.map((value) => w.image(value));
  const [x, y] = inputs;
  const name = layer.name ?? `${layer.kind}_${layer.id}`;
  const place = { name, x, shape };
  switch (layer.kind) {
    case 'conv':
      return conv(w, layer, place);
    case 'linear':
      return linear(w, layer, place);
    case 'batch_norm':
      return batchNorm(w, layer, place);
    case 'layer_norm':
      return layerNorm(w, layer, place);
    case 'global_response_norm':
      return responseNorm(w, layer, place);
    case 'activation':
      return { ...x, name: activation(w, layer.activation, name, x.name) };
    case 'max_pool':
    case 'avg_pool':
      return pool(w, layer, place);
    case 'global_avg_pool':
      return { name: w.node('GlobalAveragePool', name, [x.name]), shape };
    case 'adaptive_avg_pool':
      return adaptivePool(w, layer, place);
    case 'upsample': {
      const [, h, width] = x.shape;
      return adaptivePool(w, { size: [h * layer.scale, width * layer.scale] }, place);
    }
    case 'add':
      return { name: w.node('Add', name, [x.name, y.name]), shape };
    case 'mul': {
      const by = layer.weight ? w.tensor(layer.weight, [shape[0], 1, 1]) : y.name;
      const made = w.node('Mul', name, [x.name, by]);
      if (layer.factor === undefined) return { name: made, shape };
      const factor = w.numbers(`${name}.factor`, [layer.factor]);
      return { name: w.node('Mul', `${name}.scaled`, [made, factor]), shape };
    }
    case 'concat':
      return concat(w, place, inputs);
    case 'replace':
      return replace(w, place, y);
    case 'slice':
      return slice(w, layer, place);
    case 'shuffle':
      return shuffle(w, layer, place);
    case 'subsample':
      return subsample(w, layer, place);
    case 'depth_to_space':
    case 'space_to_depth':
      return blocks(w, layer, place);
    case 'dropout':
    case 'stochastic_depth':
      return x;
  }
}
