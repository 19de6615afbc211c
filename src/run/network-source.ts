import { BUILTIN_CLASSES } from '../data/builtin/builtin';
import type { Resizing, UserFile } from '../data/types';
import { UserError } from '../errors';
import { readBundled } from '../io/bundled';
import { commonPrefix } from '../io/prefix';
import type { StateDict } from '../io/tensor';
import { openWeights, type WeightsFile } from '../io/weights-file';
import { IMAGENET } from '../model/builder';
import { BUILTIN_FILE, BUILTIN_NETWORK, BUILTIN_WEIGHTS } from '../model/builtin';
import { headEntries } from '../model/heads';
import { initialState } from '../model/init';
import type { Model } from '../model/model';
import { zooPublisher } from '../model/recognise/dialects';
import { type UsualResizing, usualResizing } from '../model/recognise/resizing';
import { checkState } from '../model/state';
import { createModel } from '../model/zoo';
import { CHECKPOINT_KEY } from './checkpoint-file';
import { readMetadata } from './metadata';
import { type NamedNetwork, type NetworkOptions, namedNetwork } from './network-options';
import type { OnnxOriginal, RecognisedOnnx } from './onnx-network';
import { recogniseWeights } from './recognise-weights';
import { isMap, mergeMaps, type Unmerged } from './unmerged';

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

/**
 * Loads a network: recognises its architecture where the source does not name it, and checks the weights against it, before
 * any image is read.
 * @throws UserError that names the file and what is wrong with it
 */
export async function loadNetwork(source: ModelSource): Promise<LoadedNetwork> {
  if (source.kind === 'random') return randomNetwork(source.network, source.seed);
  if (source.kind === 'model') return ownNetwork(source);
  if (source.kind === 'file') {
    const network = await fromFiles(source.files, source.network ?? {});
    return source.classes ? withClasses(network, source.classes) : network;
  }
  const file = { path: BUILTIN_FILE, blob: new Blob([await readBundled(BUILTIN_WEIGHTS)]) };
  return { ...(await fromFiles([file], BUILTIN_NETWORK)), classes: BUILTIN_CLASSES, notes: [] };
}

/**
 * What files of weights are, before any of their numbers is read.
 * @throws UserError that names the file and what is wrong with it
 */
export async function recogniseFiles(files: UserFile[], options: NetworkOptions) {
  const opened = await openWeights(...files);
  if (opened.metadata.has(CHECKPOINT_KEY))
    throw new UserError(
      `${opened.file} is a checkpoint of a run: go on with it by --resume and its folder, or name the merged weights of a run.`,
    );
  const description = readMetadata(opened.metadata);
  if (!opened.onnx)
    return { opened, description, recognised: recogniseWeights(opened, options, description) };
  const { recogniseOnnx } = await import('./onnx-network');
  return { opened, description, recognised: recogniseOnnx(opened, opened.onnx, options) };
}

async function fromFiles(files: UserFile[], options: NetworkOptions): Promise<LoadedNetwork> {
  const { opened, description, recognised } = await recogniseFiles(files, options);
  const { model, copy, names, publisher, prefix, head, kept, notes } = recognised;
  const { onnx, size } = recognised as Partial<RecognisedOnnx>;
  const tensors = await copy.read(kept);
  const weights: WeightsFile = { tensors, metadata: opened.metadata, format: opened.format, prefix: '' };
  const { state, unmerged } = mergeMaps(modelState(tensors, names, model), model);
  if (unmerged) {
    withoutMaps(tensors, names);
    const count = unmerged.maps.size;
    notes.push(
      `${opened.file} has ${count} refocusing ${count === 1 ? 'map' : 'maps'}: training goes on from ${count === 1 ? 'it' : 'them'}, for anything else ${count === 1 ? 'it is' : 'they are'} merged.`,
    );
  }
  const headless = !state.has(`${model.head.name}.weight`);
  if (headless) for (const [name, tensor] of freshHead(model)) state.set(name, tensor);
  checkState(model, state, opened.file);
  const { classes } = description ?? {};
  return {
    file: opened.file,
    model: description?.preprocessing
      ? { ...model, input: { ...model.input, ...description.preprocessing } }
      : model,
    state,
    original: { weights, names, publisher, prefix, head, onnx },
    classes: classes?.length === model.head.classes ? classes : undefined,
    trainedSize: description?.preprocessing?.size ?? size,
    ...(description?.preprocessing ? resizingOf(description.preprocessing) : published(model, publisher)),
    unmerged,
    headless,
    notes,
  };
}

/** How the publisher resizes images that are as large as ImageNet's are usually made. */
const published = ({ name, input }: Model, publisher: string): Partial<UsualResizing> =>
  // an ONNX file does not tell; most were exported from torchvision
  input.size >= IMAGENET.size ? usualResizing(publisher === 'onnx' ? 'torchvision' : publisher, name) : {};

const resizingOf = ({ interpolation, cropPct, cropMode }: Resizing): Resizing => ({
  interpolation,
  cropPct,
  cropMode,
});

/** @throws UserError where there are more or fewer names than classes */
function withClasses(network: LoadedNetwork, classes: string[]): LoadedNetwork {
  const { file, model } = network;
  if (classes.length === model.head.classes) return { ...network, classes };
  throw new UserError(
    `${file} tells ${model.head.classes} classes apart, but ${classes.length} labels are given: give one a row of its classifier, in its order.`,
  );
}

/** Takes the maps off what a file is described by. */
function withoutMaps(tensors: StateDict, names: ReadonlyMap<string, string>): void {
  for (const key of tensors.keys()) if (isMap(names.get(key) ?? '')) tensors.delete(key);
}

/** Numbers to start a classifier from. */
function freshHead(model: Model, seed = 0): StateDict {
  const entries = headEntries(model);
  return new Map([...initialState(model, seed)].filter(([name]) => entries.has(name)));
}

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

function randomNetwork(network: NamedNetwork, seed: number): LoadedNetwork {
  const { arch, state: _, ...options } = namedNetwork(network);
  return fromRandom(createModel(arch, options), seed, zooPublisher(arch));
}

/** Who publishes a model of one's own: nobody. */
const OWN = '';

function fromRandom(model: Model, seed: number, publisher: string): LoadedNetwork {
  const state = initialState(model, seed);
  const weights: WeightsFile = { tensors: state, metadata: new Map(), format: 'safetensors', prefix: '' };
  const names = new Map([...state.keys()].map((name) => [name, name]));
  const original = { weights, names, publisher, prefix: '', head: model.head.name };
  return { file: model.name, model, state, original, headless: true, notes: [] };
}

async function ownNetwork({ model, files, seed = 0 }: Extract<ModelSource, { kind: 'model' }>) {
  if (!files) return fromRandom(model, seed, OWN);
  const { file, metadata, format, copies } = await openWeights(...files);
  const tensors = await copies[0].read();
  const prefix = commonPrefix(tensors.keys());
  const names = new Map([...tensors.keys()].map((key) => [key, key.slice(prefix.length)]));
  const state: StateDict = new Map([...tensors].map(([key, tensor]) => [names.get(key)!, tensor]));
  checkState(model, state, file);
  const weights: WeightsFile = { tensors, metadata, format, prefix: '' };
  const original = { weights, names, publisher: OWN, prefix, head: model.head.name };
  return { file, model, state, original, headless: false, notes: [] };
}
