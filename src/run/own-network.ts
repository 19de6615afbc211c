import type { Resizing, UserFile } from '../data/types';
import { UserError } from '../errors';
import { commonPrefix } from '../io/prefix';
import type { StateDict } from '../io/tensor';
import { openWeights, type WeightsFile } from '../io/weights-file';
import { IMAGENET } from '../model/builder';
import { headEntries } from '../model/heads';
import { initialState } from '../model/init';
import type { Model } from '../model/model';
import { zooPublisher } from '../model/recognise/dialects';
import { type UsualResizing, usualResizing } from '../model/recognise/resizing';
import { checkState } from '../model/state';
import { createModel } from '../model/zoo';
import { classesBeside, normalisationBeside } from './beside-weights';
import { CHECKPOINT_KEY } from './checkpoint-file';
import { type LoadedNetwork, type ModelSource, modelState } from './loaded-network';
import { mergeMaps } from './merge-maps';
import { readMetadata } from './metadata';
import { type NamedNetwork, type NetworkOptions, namedNetwork } from './network-options';
import type { RecognisedOnnx } from './onnx-network';
import { recogniseWeights } from './recognise-weights';
import { isMap } from './unmerged';

/**
 * Loads any network but the built-in one.
 * @throws UserError that names the file and what is wrong with it
 */
export async function loadOwn(source: Exclude<ModelSource, { kind: 'builtin' }>): Promise<LoadedNetwork> {
  if (source.kind === 'random') return randomNetwork(source.network, source.seed);
  if (source.kind === 'model') return ownNetwork(source);
  const network = await fromFiles(source.files, source.network ?? {});
  return source.classes ? withClasses(network, source.classes) : network;
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
  const { state, unmerged } = await mergeMaps(modelState(tensors, names, model), model);
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
  const normalisation = description?.preprocessing ?? (await normalisationBeside(copy, recognised));
  const classes = description?.classes ?? (headless ? undefined : classesBeside(opened, model, notes));
  return {
    file: opened.file,
    model: normalisation ? { ...model, input: { ...model.input, ...normalisation } } : model,
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
