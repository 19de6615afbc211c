import type { StateDict } from '../io/tensor';
import { readWeights, writeWeights } from '../io/weights-file';
import { mergeState } from '../model/merge';
import { readState } from '../model/state';
import type { Snapshot } from '../runtime/snapshot';
import type { Training } from '../train/trainer';
import type { LoadedNetwork } from './network-source';

/** A network of a run, merged. */
export interface Merged {
  snapshot: Snapshot;
  file: Uint8Array<ArrayBuffer>;
  /** what the file holds, read again */
  state: StateDict;
}

/** Merges a snapshot and writes the file; no device takes part. */
export async function mergeSnapshot(
  snapshot: Snapshot,
  { model, start }: Training,
  { weights }: LoadedNetwork,
): Promise<Merged> {
  const file = writeWeights(weights, mergeState(model, readState(snapshot, model, start)));
  const { tensors } = await readWeights({ path: 'merged.safetensors', blob: new Blob([file]) });
  return { snapshot, file, state: tensors };
}
