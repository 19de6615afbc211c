import { BUILTIN_CLASSES } from '../data/builtin/builtin';
import { readBundled } from '../io/bundled';
import { readSafetensors } from '../io/safetensors';
import type { WeightsFile } from '../io/weights-file';
import { BUILTIN_FILE, BUILTIN_WEIGHTS, builtinModel } from '../model/builtin';
import { checkState } from '../model/state';
import { loadTask } from '../train/task';
import type { LoadedNetwork, ModelSource } from './loaded-network';

/**
 * Loads a network: recognises its architecture where the source does not name it, and checks the weights against it, before
 * any image is read.
 * @throws UserError that names the file and what is wrong with it
 */
export async function loadNetwork(source: ModelSource): Promise<LoadedNetwork> {
  // the built-in network needs none of what recognises others
  if (source.kind === 'builtin') return builtinNetwork();
  const { loadOwn } = await import('./own-network');
  const network = await loadOwn(source);
  await loadTask(network.model);
  return network;
}

/** The built-in network, whose file has the names and shapes of its model. */
async function builtinNetwork(): Promise<LoadedNetwork> {
  const model = builtinModel();
  const { tensors, metadata } = readSafetensors(
    new Uint8Array(await readBundled(BUILTIN_WEIGHTS)),
    BUILTIN_FILE,
  );
  checkState(model, tensors, BUILTIN_FILE);
  const names = new Map(model.state.map(({ name }) => [name, name]));
  const weights: WeightsFile = { tensors, metadata, format: 'safetensors', prefix: '' };
  const original = { weights, names, publisher: 'torchvision', prefix: '', head: model.head.name };
  return {
    file: BUILTIN_FILE,
    model,
    state: tensors,
    original,
    classes: BUILTIN_CLASSES,
    trainedSize: model.input.size,
    headless: false,
    notes: [],
  };
}
