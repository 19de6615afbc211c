import { redundancyOf } from '../analysis/redundancy';
import type { UserFile } from '../data/types';
import { product } from '../graph/tensor';
import { readCheckpoint } from '../io/checkpoint';
import type { StoredTensor } from '../io/tensor-file';
import { describe } from '../nn/describe';
import { architecture } from '../nn/models';
import { checkState } from '../nn/state';
import type { NetworkOptions } from './network-options';
import { classesOf } from './sources';

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
  const checkpoint = readCheckpoint(new Uint8Array(await file.blob.arrayBuffer()), file.path);
  if (network) {
    const { arch, ...rest } = network;
    const classes = rest.classes ?? classesOf(checkpoint, file.path);
    // state dicts do not depend on the image size; 224 is large enough for every architecture
    checkState(describe(architecture(arch, { ...rest, classes }), [224, 224]), checkpoint.tensors, file.path);
  }
  return [...checkpoint.tensors].map(([name, tensor]) => ({
    name,
    kind: kindOf(name, tensor.shape),
    ...measures(name, tensor),
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

function measures(
  name: string,
  { shape, data }: StoredTensor,
): Pick<InspectLayer, 'shape' | 'parameters' | 'redundancy'> {
  const sizes = { shape, parameters: product(shape) };
  if (shape.length !== 4 || Math.max(shape[2], shape[3]) === 1 || !(data instanceof Float32Array))
    return sizes;
  return { ...sizes, redundancy: redundancyOf(name, data, shape).mean };
}
