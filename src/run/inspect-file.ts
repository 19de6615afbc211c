/** A weights file as it is shown: what it is, and its tensors. */
import { type RedundancyFigures, redundancyOf } from '../analysis/redundancy';
import type { UserFile } from '../data/types';
import { UserError } from '../errors';
import type { StateTensor } from '../io/tensor';
import { readWeights } from '../io/weights-file';
import { type InspectLayer, inOrder, layersOf } from './inspect';
import type { NetworkOptions } from './network-options';
import { loadNetwork } from './network-source';
import { figuresOf } from './redundancy';

/**
 * The tensors of a file or of its shards, a line each; with an architecture, checked against it first. Those of an ONNX model
 * that is read here are named by their layers: folded ones have numbers for names.
 */
export async function inspectFile(files: UserFile[], network?: NetworkOptions): Promise<InspectLayer[]> {
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

function redundancyOfTensor(name: string, { shape, data }: StateTensor): RedundancyFigures | undefined {
  if (shape.length !== 4 || Math.max(shape[2], shape[3]) === 1 || !(data instanceof Float32Array)) return;
  return figuresOf(redundancyOf(name, data, shape));
}
