import { Graph } from '../graph/graph';
import { type Architecture, Net, type NetOptions } from './net';

/** A network without a GPU: its state dict, convolutions and multiply-adds. */
export function describe(
  architecture: Architecture,
  [height, width]: readonly [number, number],
  options: NetOptions = { training: false },
): Net {
  // two images: batch norm refuses to train on a single value a channel
  const graph = new Graph();
  const net = new Net(graph, options);
  architecture(net, graph.tensor('x', [2, height, width, 3], { role: 'input' }));
  return net;
}
