import { type LayerRedundancy, type RedundancyFigures, redundancyOf } from '../analysis/redundancy';
import type { UserFile } from '../data/types';
import { UserError } from '../errors';
import { product } from '../graph/tensor';
import type { StateDict, StateTensor } from '../io/tensor';
import type { Model } from '../model/model';
import type { GramSpectrum } from './gram-spectrum';
import type { Classifier } from './head-plan';
import type { ModelSource } from './loaded-network';
import type { NetworkOptions } from './network-options';
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

/**
 * The tensors of a file or of its shards, a line each; with an architecture, checked against it first. Those of an ONNX model
 * that is read here are named by their layers: folded ones have numbers for names.
 */
export async function inspectFile(files: UserFile[], network?: NetworkOptions): Promise<InspectLayer[]> {
  // a preview of the built-in network reads no file
  const { readWeights } = await import('../io/weights-file');
  const weights = network ? undefined : await readWeights(...files);
  if (weights && weights.format !== 'onnx') return layersOf(weights.tensors, redundancyOfTensor);
  try {
    const { model, state } = await loadNetwork({ kind: 'file', network, files });
    return layersOf(inOrder(state, model), redundancyOfTensor);
  } catch (error) {
    if (!weights || !(error instanceof UserError)) throw error;
    return layersOf(weights.tensors, redundancyOfTensor);
  }
}

/** What a file's network is, a sentence each, or why it is none that is known here. */
export async function describeFile(files: UserFile[], network?: NetworkOptions): Promise<string[]> {
  try {
    return (await loadNetwork({ kind: 'file', network, files })).notes;
  } catch (error) {
    if (error instanceof UserError) return [error.message];
    throw error;
  }
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
function inOrder(state: StateDict, model: Model): StateDict {
  const known = model.state.flatMap(({ name }) => {
    const tensor = state.get(name);
    return tensor ? [[name, tensor] as const] : [];
  });
  // what is set already keeps its place
  return new Map([...known, ...state]);
}

function layersOf(
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

function redundancyOfTensor(name: string, { shape, data }: StateTensor): RedundancyFigures | undefined {
  if (shape.length !== 4 || Math.max(shape[2], shape[3]) === 1 || !(data instanceof Float32Array)) return;
  return figuresOf(redundancyOf(name, data, shape));
}
