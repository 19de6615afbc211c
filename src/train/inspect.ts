import { redundancyOf } from '../analysis/redundancy';
import { readCheckpoint } from '../io/checkpoint';
import { Graph } from '../graph/graph';
import { product } from '../graph/tensor';
import { architecture } from '../nn/models';
import { Net } from '../nn/net';
import type { NetworkOptions } from './network-options';
import { loadNetwork, type ReadAsset } from './sources';
import type { UserFile } from '../data/types';

export interface InspectLayer {
  name: string;
  kind: string;
  shape: number[];
  parameters: number;
  /** mean KL divergence between kernels (spatial convolutions only) */
  redundancy?: number;
}
