/** What refocusing one depthwise layer costs, by the plan of a training step: no GPU is needed. */
import type { Plan } from '../graph/ir';
import { buildModel } from '../model/builder';
import type { Model } from '../model/model';
import { mapKernelOf } from '../model/refconv';
import { decideSettings } from '../train/decide';
import { defaultSettings, type TrainSettings } from '../train/settings';
import { MANY_IMAGES, stepProgram } from './plan-summary';

/** A layer of C channels with a K x K kernel each, and what it sees. */
export interface LayerSize {
  channels: number;
  kernel: number;
  /** k of the map */
  mapKernel: 1 | 3 | 5;
  /** images of a batch, and the side in pixels of what the layer reads and writes */
  batch: number;
  size: number;
}

/** What a step takes more with a map than with fine-tuning of the same layer. */
export interface MapCost {
  /** numbers that train for the layer */
  trained: number;
  flops: number;
  /** that dispatches read and write */
  bytes: number;
  dispatches: number;
  /** bytes that stay on the GPU between dispatches: parameters, gradients, momentum, constants */
  memory: number;
}

export interface LayerCost extends Omit<LayerSize, 'mapKernel'> {
  /** k of the map as it is: never larger than the kernel */
  mapKernel: number;
  /** floating-point operations of the layer's own convolution in a step, forwards and for both gradients */
  layerFlops: number;
  factored: MapCost;
  dense: MapCost;
}

export function layerCost(layer: LayerSize): LayerCost {
  const { channels, kernel, batch, size } = layer;
  const mapKernel = mapKernelOf({ shape: [channels, 1, kernel, kernel] }, layer.mapKernel);
  const plain = totals(layer, { method: 'finetune' });
  const of = (path: 'factored' | 'dense', trained: number): MapCost => {
    const own = totals(layer, { method: 'refocus', path, mapKernel: layer.mapKernel });
    return {
      trained,
      flops: own.flops - plain.flops,
      bytes: own.bytes - plain.bytes,
      dispatches: own.dispatches - plain.dispatches,
      memory: own.memory - plain.memory,
    };
  };
  return {
    ...layer,
    mapKernel,
    layerFlops: 6 * batch * size ** 2 * channels * kernel ** 2,
    factored: of('factored', channels * kernel ** 2),
    dense: of('dense', channels ** 2 * mapKernel ** 2),
  };
}

/** The smallest network around the layer: what else it has is alike in all. */
const networkOf = (channels: number, kernel: number): Model =>
  buildModel({ name: 'a depthwise layer', classes: 2 }, (net, x) => {
    const wide = net.batchNorm('norm', net.conv('point', x, channels, 1), 'relu');
    const layer = net.conv('layer', wide, channels, kernel, { groups: channels });
    return net.head('head', net.globalAvgPool(net.batchNorm('layer norm', layer, 'relu')));
  });

function totals(
  { channels, kernel, batch, size }: LayerSize,
  own: Partial<Pick<TrainSettings, 'method' | 'path' | 'mapKernel'>>,
): Omit<MapCost, 'trained'> {
  const model = networkOf(channels, kernel);
  const asked: TrainSettings = { ...defaultSettings(), batch, ...own };
  const settings = decideSettings(asked, { input: model.input, images: MANY_IMAGES, side: size });
  const { plan } = stepProgram({ model, settings, height: size, width: size });
  const { flops, bytes, dispatches } = plan.totals;
  return { flops, bytes, dispatches, memory: lasting(plan) };
}

/** What passes from one dispatch to another, and the images, are not the layer's. */
const PASSING = ['slot ', 'input ', 'output '];
const lasting = ({ buffers }: Plan): number =>
  Object.entries(buffers)
    .filter(([name]) => !PASSING.some((kind) => name.startsWith(kind)))
    .reduce((sum, [, size]) => sum + size, 0);
