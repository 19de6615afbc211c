import type { StateTensors } from '../model/state';
import { writeSafetensors } from './safetensors';
import type { Checkpoint, StoredTensor } from './tensor-file';

/**
 * A checkpoint with new weights as safetensors: the input file's keys, prefix, order and shapes, floats as f32;
 * what the network does not know (counters) is carried over as it was.
 */
export function writeLike(checkpoint: Checkpoint, state: StateTensors): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, old] of checkpoint.tensors) {
    const fresh = state.get(name);
    tensors.set(
      checkpoint.prefix + name,
      fresh
        ? { dtype: 'F32', shape: old.shape, data: Float32Array.from(fresh.data as ArrayLike<number>) }
        : old,
    );
  }
  return writeSafetensors(tensors, checkpoint.metadata);
}
