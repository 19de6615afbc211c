import type { StateDict } from '../io/tensor';
import { readWeights } from '../io/weights-file';
import { asFloat32, precisionNote, writeWeights } from '../io/write-weights';
import { mergeState } from '../model/merge';
import { readState } from '../model/state';
import type { Snapshot } from '../runtime/snapshot';
import type { Training } from '../train/trainer';
import type { LoadedNetwork } from './network-source';

/** A network of a run, merged. */
export interface Merged {
  snapshot: Snapshot;
  file: Uint8Array<ArrayBuffer>;
  /** what the file holds, read again; where the file's floats are narrower than f32, before they were rounded */
  state: StateDict;
  /** what the file's element types mean for its numbers, where they are not f32 */
  note?: string;
}

/** Merges a snapshot and writes the file; no device takes part. */
export async function mergeSnapshot(
  snapshot: Snapshot,
  { model, start }: Training,
  { weights }: LoadedNetwork,
): Promise<Merged> {
  const merged = mergeState(model, readState(snapshot, model, start));
  const exact = writeWeights(asFloat32(weights), merged);
  const { tensors } = await readWeights({ path: 'merged.safetensors', blob: new Blob([exact]) });
  const note = precisionNote(weights, merged);
  // the merge is what a proof is about; a type that the user chose rounds as it always does
  return { snapshot, file: note ? writeWeights(weights, merged) : exact, state: tensors, note };
}
