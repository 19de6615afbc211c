import { type LayerRedundancy, redundancyOf } from '../analysis/redundancy';
import type { LabelledImages } from '../data/types';
import { Graph } from '../graph/graph';
import { type Architecture, Net } from '../nn/net';
import type { StateTensors } from '../nn/state';

/** Redundancy of every spatial convolution of a plain network. */
export function networkRedundancy(architecture: Architecture, { height, width }: Pick<LabelledImages, 'height' | 'width'>, state: StateTensors): LayerRedundancy[] {
  const graph = new Graph();
  const net = new Net(graph, { training: false });
  architecture(net, graph.tensor('x', [1, height, width, 3], { role: 'input' }));
  return net.convs
    .filter(({ shape }) => Math.max(shape[2], shape[3]) > 1)
    .map(({ name, shape }) => redundancyOf(name, Float32Array.from(state.get(`${name}.weight`)!.data as ArrayLike<number>), shape));
}
