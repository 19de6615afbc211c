/** A network as it is shown before a run. Of a page's first load, which the reading of files is no part of. */
import type { LayerRedundancy, RedundancyFigures } from '../analysis/redundancy';
import { product } from '../graph/tensor';
import type { StateDict, StateTensor } from '../io/tensor';
import type { Model } from '../model/model';
import type { GramSpectrum } from './gram-spectrum';
import type { Classifier } from './head-plan';
import type { ModelSource } from './loaded-network';
import { loadNetwork } from './network-source';
import { figuresOf, networkGrams, networkRedundancy } from './redundancy';

export interface InspectLayer {
  name: string;
  kind: string;
  /** PyTorch's */
  shape: number[];
  parameters: number;
  /** between the kernels of a spatial convolution */
  redundancy?: RedundancyFigures;
}

/** What there is to see of a network before a run. */
export interface NetworkPreview {
  model: Model;
  classifier: Classifier;
  layers: InspectLayer[];
  /** of every spatial convolution, named as the layer, without `.weight` */
  redundancy: LayerRedundancy[];
  /** what a map of 3 x 3 can change in each of them, by name */
  grams: ReadonlyMap<string, GramSpectrum>;
  /** what was recognised, a sentence each */
  notes: string[];
}

/** @throws UserError that names the file and what is wrong with it */
export async function previewNetwork(source: ModelSource): Promise<NetworkPreview> {
  const { model, state, classes, headless, notes } = await loadNetwork(source);
  const redundancy = networkRedundancy(model, state);
  const figures = new Map(redundancy.map((layer) => [`${layer.name}.weight`, figuresOf(layer)]));
  return {
    model,
    classifier: { count: model.head.classes, classes, headless },
    layers: layersOf(inOrder(state, model), (name) => figures.get(name)),
    redundancy,
    grams: networkGrams(model, state),
    notes,
  };
}

/** Tensors in the model's order, which is that of execution; a file may have them in any. */
export function inOrder(state: StateDict, model: Model): StateDict {
  const known = model.state.flatMap(({ name }) => {
    const tensor = state.get(name);
    return tensor ? [[name, tensor] as const] : [];
  });
  // what is set already keeps its place
  return new Map([...known, ...state]);
}

/** A line each. */
export function layersOf(
  tensors: StateDict,
  redundancy: (name: string, tensor: StateTensor) => RedundancyFigures | undefined,
): InspectLayer[] {
  const convolutions = [...tensors].filter(([, { shape }]) => shape.length === 4);
  const stem = convolutions.length > 1 ? convolutions[0][0] : undefined;
  return [...tensors].map(([name, tensor]) => ({
    name,
    kind: kindOf(name, tensor.shape, name === stem),
    shape: tensor.shape,
    parameters: product(tensor.shape),
    redundancy: redundancy(name, tensor),
  }));
}

/** Shapes alone do not tell a depthwise convolution from one of a single channel: that is a stem for gray images. */
function kindOf(name: string, shape: number[], isStem: boolean): string {
  if (/running_(mean|var)$|num_batches_tracked$/.test(name)) return 'buffer';
  if (shape.length === 2) return 'linear';
  if (shape.length !== 4) return name.endsWith('bias') ? 'bias' : 'vector';
  const [, i, kh, kw] = shape;
  if (Math.max(kh, kw) === 1) return 'pointwise convolution';
  return i === 1 && !isStem ? 'depthwise convolution' : 'convolution';
}
