import type { UserFile } from '../data/types';
import type { StateDict } from '../io/tensor';
import type { WeightsFile } from '../io/weights-file';
import type { Model } from '../model/model';
import type { NamedNetwork, NetworkOptions } from './network-options';
import type { OnnxOriginal } from './onnx-network';
import type { Unmerged } from './unmerged';

/**
 * A network: the built-in default; weights, one file or the shards of one (safetensors, .pt, .pth, .th, .ckpt), with what is
 * known of their architecture and the names of their classes; an architecture with random weights, to train from scratch;
 * or a model of one's own (see `buildModel`), with weights under its names, else random ones.
 */
export type ModelSource =
  | { kind: 'builtin' }
  | { kind: 'file'; network?: NetworkOptions; files: UserFile[]; classes?: string[] }
  | { kind: 'random'; network: NamedNetwork; seed: number }
  | { kind: 'model'; model: Model; files?: UserFile[]; seed?: number };

/** A model with its numbers. */
export interface LoadedNetwork {
  /** the file's name, for messages */
  file: string;
  model: Model;
  /** the model's state dict */
  state: StateDict;
  /** where the numbers came from and go to: the file's own names, order and shapes */
  original: OriginalWeights;
  /** names in the order of the classifier's rows, where they are known */
  classes?: readonly string[];
  /** side of the images that it was trained on last, pixels, where the file tells it */
  trainedSize?: number;
  /** how images were resized when it was trained, and what share was cropped when it was tested, where that is known */
  interpolation?: 'bilinear' | 'bicubic';
  cropPct?: number;
  /** what was kept of images that are no squares */
  cropMode?: 'center' | 'squash' | 'border';
  /** what the file has where it is not merged yet; `state` is, in any case */
  unmerged?: Unmerged;
  /** the file had no classifier: the numbers of this one are new */
  headless: boolean;
  /** what to tell of how the file was read, a sentence each */
  notes: string[];
}

export interface OriginalWeights {
  weights: WeightsFile;
  /** the model's name of each tensor of the file that the model has */
  names: ReadonlyMap<string, string>;
  /** whose names the file's are, and what stands before all of them */
  publisher: string;
  prefix: string;
  /** the publisher's name of the classifier, without the prefix */
  head: string;
  /** where it came as an ONNX model */
  onnx?: OnnxOriginal;
}

/** Whether a source has no weights: its network starts from random numbers, all of it. */
export const isRandom = (source: ModelSource): boolean =>
  source.kind === 'random' || (source.kind === 'model' && source.files === undefined);

/** The tensors of a file under the model's names and in its shapes: a linear layer may be stored as a convolution. */
export function modelState(tensors: StateDict, names: ReadonlyMap<string, string>, model: Model): StateDict {
  const shapes = new Map(model.state.map(({ name, shape }) => [name, shape]));
  const state: StateDict = new Map();
  for (const [key, tensor] of tensors) {
    const name = names.get(key);
    if (name !== undefined) state.set(name, { ...tensor, shape: shapes.get(name) ?? tensor.shape });
  }
  return state;
}

/** A model's state under the names of the file that it came from. */
export function originalState(state: StateDict, { names }: OriginalWeights): StateDict {
  const renamed: StateDict = new Map();
  for (const [key, name] of names) {
    const tensor = state.get(name);
    if (tensor) renamed.set(key, tensor);
  }
  return renamed;
}
