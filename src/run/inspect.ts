import { type LayerRedundancy, redundancyOf } from '../analysis/redundancy';
import type { UserFile } from '../data/types';
import { product } from '../graph/tensor';
import type { StateTensor } from '../io/tensor';
import { readWeights, type WeightsFile } from '../io/weights-file';
import { describe } from '../model/describe';
import { checkState } from '../model/state';
import { architecture } from '../model/zoo';
import type { NetworkOptions } from './network-options';
import { networkRedundancy } from './redundancy';
import { classesOf, loadNetwork, type ModelSource, type ReadAsset } from './sources';

export interface InspectLayer {
  name: string;
  kind: string;
  /** PyTorch's */
  shape: number[];
  parameters: number;
  /** mean KL divergence between kernels (spatial convolutions only), nats */
  redundancy?: number;
}

/** The tensors of a file, a line each; with an architecture, checked against it first. */
export async function inspectFile(file: UserFile, network?: NetworkOptions): Promise<InspectLayer[]> {
  const checkpoint = await readWeights(file);
  if (network) {
    const { arch, ...rest } = network;
    const classes = rest.classes ?? classesOf(checkpoint, file.path);
    // state dicts do not depend on the image size; 224 is large enough for every architecture
    checkState(describe(architecture(arch, { ...rest, classes }), [224, 224]), checkpoint.tensors, file.path);
  }
  return layersOf(checkpoint, redundancyOfTensor);
}

/** What there is to see of a network before a run. */
export interface NetworkPreview {
  layers: InspectLayer[];
  /** of every spatial convolution, named as the layer, without `.weight` */
  redundancy: LayerRedundancy[];
}

/** @throws UserError that names the file and what is wrong with it */
export async function previewNetwork(model: ModelSource, asset: ReadAsset): Promise<NetworkPreview> {
  const { architecture, checkpoint } = await loadNetwork(model, asset);
  // which convolutions a network has does not depend on the image size
  const redundancy = networkRedundancy(architecture, { height: 224, width: 224 }, checkpoint.tensors);
  const means = new Map(redundancy.map(({ name, mean }) => [`${name}.weight`, mean]));
  return { layers: layersOf(checkpoint, (name) => means.get(name)), redundancy };
}

function layersOf(
  { tensors }: WeightsFile,
  redundancy: (name: string, tensor: StateTensor) => number | undefined,
): InspectLayer[] {
  return [...tensors].map(([name, tensor]) => ({
    name,
    kind: kindOf(name, tensor.shape),
    shape: tensor.shape,
    parameters: product(tensor.shape),
    redundancy: redundancy(name, tensor),
  }));
}

function kindOf(name: string, shape: number[]): string {
  if (/running_(mean|var)$|num_batches_tracked$/.test(name)) return 'buffer';
  if (shape.length === 2) return 'linear';
  if (shape.length !== 4) return name.endsWith('bias') ? 'bias' : 'vector';
  const [, i, kh, kw] = shape;
  if (Math.max(kh, kw) === 1) return 'pointwise convolution';
  return i === 1 ? 'depthwise convolution' : 'convolution';
}

function redundancyOfTensor(name: string, { shape, data }: StateTensor): number | undefined {
  if (shape.length !== 4 || Math.max(shape[2], shape[3]) === 1 || !(data instanceof Float32Array)) return;
  return redundancyOf(name, data, shape).mean;
}
