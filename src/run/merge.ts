import type { Gpu } from '../gpu/device';
import type { StateDict } from '../io/tensor';
import { readWeights, writeWeights } from '../io/weights-file';
import { mergeState } from '../model/merge';
import { readState } from '../model/state';
import type { Snapshot } from '../runtime/snapshot';
import { evaluateNetwork } from '../train/evaluate';
import { type Observer, Trainer, type Training } from '../train/trainer';
import type { LoadedNetwork } from './network-source';
import { PROOF_IMAGES, proveMerge, unproven } from './prove';
import type { MergeProof } from './report';

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

interface ProofContext {
  trainer: Trainer;
  training: Training;
  observer: Observer;
  network: LoadedNetwork;
  base: { parameters: number; multiplyAdds: number };
  gpu: () => Promise<Gpu>;
}

/**
 * Proves merged networks, the worst proof of all: on the device that trained them, or on a new one where that is
 * lost. What has been learned is worth more than its proof: where that fails, a warning says why and nothing is proven.
 */
export async function proveMerges(merged: readonly Merged[], context: ProofContext): Promise<MergeProof> {
  const { trainer, training, observer } = context;
  const isLost = () => trainer.session.gpu.failure.error !== undefined;
  const prove = async (prover: Trainer): Promise<MergeProof> => {
    const proofs: MergeProof[] = [];
    for (const m of merged) proofs.push(await proveOne(m, prover, context));
    return proofs.find((p) => !p.ok) ?? proofs[0];
  };
  try {
    if (!isLost()) {
      try {
        return await prove(trainer);
      } catch (error) {
        if (!isLost()) throw error;
      }
    }
    // what a lost device has learned is on the host: a new one proves it
    const prover = await Trainer.create(await context.gpu(), training, observer);
    try {
      return await prove(prover);
    } finally {
      prover.session.destroy();
    }
  } catch (error) {
    observer.warning(`The merge could not be proven: ${(error as Error).message}`);
    return unproven(context.base);
  }
}

/** Rebuilds the plain network from the file and compares its logits with those of the network that was trained. */
async function proveOne(
  { snapshot, state }: Merged,
  prover: Trainer,
  { training, network, base }: ProofContext,
): Promise<MergeProof> {
  const { test, settings } = training;
  const images = Math.min(PROOF_IMAGES, test.count);
  const logits = await prover.logits(snapshot, images);
  const { mean, std } = settings;
  const plain = await evaluateNetwork(prover.session.gpu, network.model, state, test, {
    mean,
    std,
    limit: images,
    keep: images,
  });
  return proveMerge(logits, plain, base, network.model.head.classes, images);
}
