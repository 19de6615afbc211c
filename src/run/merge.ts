import { cropOf } from '../data/pixels';
import type { StateDict } from '../io/tensor';
import { openWeights } from '../io/weights-file';
import { asFloat32, precisionNote, writeWeights } from '../io/write-weights';
import { mergeState } from '../model/merge';
import { readState } from '../model/read-state';
import { REFCONV } from '../model/refconv';
import type { Snapshot } from '../runtime/snapshot';
import type { Training } from '../train/training-session';
import type { FittedNetwork } from './head';
import { modelState, type OriginalWeights, originalState } from './loaded-network';
import { METADATA_KEY, type NetworkMetadata, withMetadata } from './metadata';

/** A plain network of a run in a file. */
export interface WrittenNetwork {
  file: Uint8Array<ArrayBuffer>;
  /** the same as `torch.save` writes it */
  pth(): Uint8Array<ArrayBuffer>;
  /** the ONNX file that the network came in, with the merged numbers; undefined where it came otherwise */
  onnx?(): Promise<Uint8Array<ArrayBuffer>>;
  /** the network before it is merged: bases, and the map of each beside it */
  unmerged(format: 'safetensors' | 'pth'): Uint8Array<ArrayBuffer>;
  /** what the file holds, read again; where the file's floats are narrower than f32, before they were rounded */
  state: StateDict;
  /** what the file's element types mean for its numbers, where they are not f32 */
  note?: string;
}

/** A network of a run, merged. */
export interface Merged extends WrittenNetwork {
  snapshot: Snapshot;
}

/** Merges a snapshot and writes the file; no device takes part. */
export async function mergeSnapshot(
  snapshot: Snapshot,
  training: Training,
  network: FittedNetwork,
): Promise<Merged> {
  const { model, start, settings } = training;
  const { method, seed } = settings;
  const trained = await readState(snapshot, model, start);
  return {
    snapshot,
    ...(await writeNetwork([trained, await mergeState(model, trained)], { method, seed }, training, network)),
  };
}

/** Writes the network that a run started from, as it was loaded. */
export const writeBase = (training: Training, network: FittedNetwork): Promise<WrittenNetwork> =>
  writeNetwork([network.state, network.state], {}, training, network);

async function writeNetwork(
  [trained, merged]: [StateDict, StateDict],
  how: Pick<NetworkMetadata, 'method' | 'seed'>,
  { settings: { mean, std, interpolation, cropPct, cropMode }, train }: Training,
  { model: plain, original, classes }: FittedNetwork,
): Promise<WrittenNetwork> {
  const { weights, names } = original;
  const written = originalState(merged, original);
  const { height, width } = cropOf(train);
  const isSquare = height === width;
  const description: NetworkMetadata = {
    version: 1,
    architecture: plain.name,
    args: plain.args,
    classes: [...classes],
    preprocessing: isSquare ? { size: height, interpolation, cropPct, cropMode, mean, std } : undefined,
    ...how,
  };
  const metadata = withMetadata(weights.metadata, description);
  const exact = writeWeights(asFloat32(weights), written, { metadata });
  const { copies } = await openWeights({ path: 'merged.safetensors', blob: new Blob([exact]) });
  const state = modelState(await copies[0].read(), names, plain);
  const note = precisionNote(weights, written);
  // the merge is what a proof is about; a type that the user chose rounds as it always does
  const file = note ? writeWeights(weights, written, { metadata }) : exact;
  const pth = () => writeWeights(weights, written, { metadata, format: 'pth' });
  const { onnx } = original;
  const unmerged = (format: 'safetensors' | 'pth') => {
    // tensors of an ONNX file may have any names, or none of their own: its layers are what maps are of
    if (onnx) return writeWeights({ ...weights, tensors: trained }, trained, { metadata, format });
    const both = withMaps(original, trained);
    return writeWeights(both.weights, originalState(trained, both), { metadata, format });
  };
  // with the head's classes the file's own description of itself holds: only a new one is said
  const isNewHead = onnx !== undefined && plain.head.classes !== onnx.model.head.classes;
  const about =
    isNewHead || weights.metadata.has(METADATA_KEY)
      ? [[METADATA_KEY, metadata.get(METADATA_KEY)!] as const]
      : [];
  const asOnnx = async () => {
    const { writeOnnx } = await import('./onnx-network');
    return writeOnnx(onnx!, { state: merged, classes: plain.head.classes, metadata: new Map(about) });
  };
  return { file, pth, unmerged, state, note, onnx: onnx && asOnnx };
}

/** A file's description with the maps of a state, each behind its basis. Maps are f32, whatever the weights are. */
function withMaps({ weights, names, ...rest }: OriginalWeights, state: StateDict): OriginalWeights {
  const tensors: StateDict = new Map();
  const all = new Map(names);
  for (const [key, tensor] of weights.tensors) {
    tensors.set(key, tensor);
    const name = names.get(key);
    const layer = name?.endsWith('.weight') ? name.slice(0, -'.weight'.length) : undefined;
    const map = layer === undefined ? undefined : state.get(REFCONV.map(layer));
    if (layer === undefined || !map) continue;
    const mapKey = REFCONV.map(key.slice(0, -'.weight'.length));
    tensors.set(mapKey, map);
    all.set(mapKey, REFCONV.map(layer));
  }
  return { ...rest, weights: { ...weights, tensors }, names: all };
}
