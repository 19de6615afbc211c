import type { UserFile } from '../data/types';
import { UserError } from '../errors';
import { readBundled } from '../io/bundled';
import type { StateDict } from '../io/tensor';
import { readWeights, type WeightsFile } from '../io/weights-file';
import { BUILTIN_FILE, BUILTIN_NETWORK, BUILTIN_WEIGHTS } from '../model/builtin';
import { classesOf, withHead } from '../model/heads';
import { initialState } from '../model/init';
import type { Model } from '../model/model';
import { checkState } from '../model/state';
import { createModel } from '../model/zoo';
import type { NetworkOptions } from './network-options';

/**
 * A network: the built-in default; an architecture and a weights file (safetensors, .pt, .pth, .th); or an architecture
 * with random weights, to train from scratch.
 */
export type ModelSource =
  | { kind: 'builtin' }
  | { kind: 'file'; arch: NetworkOptions; file: UserFile }
  | { kind: 'random'; arch: NetworkOptions; seed: number };

/** A model with its numbers. */
export interface LoadedNetwork {
  /** the file's name, for messages */
  file: string;
  model: Model;
  weights: WeightsFile;
}

/**
 * Loads a network and checks its weights against the architecture, before any image is read.
 * @throws UserError that names the file and what is wrong with it
 */
export async function loadNetwork(source: ModelSource): Promise<LoadedNetwork> {
  if (source.kind === 'random') return randomNetwork(source.arch, source.seed);
  const [file, options] =
    source.kind === 'builtin'
      ? [{ path: BUILTIN_FILE, blob: new Blob([await readBundled(BUILTIN_WEIGHTS)]) }, BUILTIN_NETWORK]
      : [source.file, source.arch];
  const weights = await readWeights(file);
  const model = modelFor(options, weights.tensors);
  checkState(model, weights.tensors, file.path);
  return { file: file.path, model, weights };
}

/** The model of those options; where they leave the classes open it has as many as the state's head. */
export function modelFor({ arch, ...options }: NetworkOptions, state: StateDict): Model {
  const model = createModel(arch, options);
  const classes = options.classes ?? classesOf(model, state);
  return classes === undefined || classes === model.head.classes ? model : withHead(model, classes);
}

function randomNetwork({ arch, ...options }: NetworkOptions, seed: number): LoadedNetwork {
  if (options.classes === undefined)
    throw new UserError(`${arch} has no weights to tell its classes from: say how many there are.`);
  const model = createModel(arch, options);
  const weights: WeightsFile = {
    tensors: initialState(model, seed),
    metadata: new Map(),
    format: 'safetensors',
    prefix: '',
  };
  return { file: arch, model, weights };
}
