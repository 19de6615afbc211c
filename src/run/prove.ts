import { classFigures, type TestEvaluation } from '../analysis/class-figures';
import type { Gpu } from '../gpu/device';
import { pad4 } from '../graph/tensor';
import { headChannels } from '../model/model';
import { evaluateNetwork } from '../train/evaluate';
import type { Observer } from '../train/observer';
import { isClassifier } from '../train/task';
import { Trainer } from '../train/trainer';
import type { Training } from '../train/training-session';
import { type DenseEvaluation, denseEvaluation } from './dense';
import type { LoadedNetwork } from './loaded-network';
import { inImageOrder } from './logits';
import type { Merged } from './merge';
import type { MergeProof } from './report';

/** Test images that a merge is proven on, where there are so many. */
export const PROOF_IMAGES = 256;

/** Largest difference of logits, relative to the largest logit, that float rounding explains. */
const TOLERANCE = 1e-4;

interface ProofContext {
  trainer: Trainer;
  training: Training;
  observer: Observer;
  network: LoadedNetwork;
  base: { parameters: number; multiplyAdds: number };
  gpu: () => Promise<Gpu>;
}

/** What a network says of the test images, by its task. */
export type Tested = TestEvaluation | DenseEvaluation;

/** The proof of merged networks, and what each of them says of the test images; nothing where none could be proven. */
interface ProvenMerges {
  proof: MergeProof;
  evaluations: Tested[];
}

/**
 * Proves merged networks, the worst proof of all: on the device that trained them, or on a new one where that is
 * lost. What has been learned is worth more than its proof: where that fails, a warning says why and nothing is proven.
 */
export async function proveMerges(merged: readonly Merged[], context: ProofContext): Promise<ProvenMerges> {
  const { trainer, training, observer } = context;
  const isLost = () => trainer.session.gpu.failure.error !== undefined;
  const prove = async (prover: Trainer): Promise<ProvenMerges> => {
    const proven: (readonly [MergeProof, Tested])[] = [];
    for (const m of merged) proven.push(await proveOne(m, prover, context));
    const proofs = proven.map(([proof]) => proof);
    return {
      proof: proofs.find((p) => !p.ok) ?? proofs[0],
      evaluations: proven.map(([, evaluation]) => evaluation),
    };
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
    return { proof: unproven(context.base), evaluations: [] };
  }
}

/**
 * Rebuilds the plain network from the file, tests it, and compares its logits of some images with those of the network that
 * was trained.
 */
async function proveOne(
  { snapshot, state }: Merged,
  prover: Trainer,
  { training, network, base }: ProofContext,
): Promise<readonly [MergeProof, Tested]> {
  const { test, settings } = training;
  const { model } = network;
  const { classes } = model.head;
  const images = Math.min(PROOF_IMAGES, test.count);
  const logits = await prover.logits(snapshot, images);
  const { mean, std } = settings;
  const keep = test.count;
  const plain = await evaluateNetwork(prover.session.gpu, network.model, state, test, { mean, std, keep });
  if (isClassifier(model))
    return [
      proveMerge(logits, plain, base, classes, images),
      classFigures(inImageOrder(plain.logits, test.count, classes), test),
    ];
  const channels = headChannels(model.task, classes);
  const places = logits.length / pad4(channels);
  const proof = proveMerge(logits, plain, base, channels, places);
  // of so many places some are so close to two classes that rounding decides between them
  const ok = proof.maxRelLogitDiff <= TOLERANCE && sameCosts(proof);
  return [{ ...proof, images, ok }, denseEvaluation(plain.logits, model, test)];
}

interface Measured {
  logits: Float32Array;
  parameters: number;
  multiplyAdds: number;
}

/**
 * Compares the merged network, rebuilt from its file, with the network that was trained, on the same images.
 * Rows of logits have the same stride in both, of which the first `classes` count; of the merged network there may be more.
 * @param images rows that are compared: images, or places in them where each has logits of its own
 */
export function proveMerge(
  trained: Float32Array,
  merged: Measured,
  input: Omit<Measured, 'logits'>,
  classes: number,
  images: number,
): MergeProof {
  const stride = trained.length / images;
  let difference = 0;
  let largest = 0;
  let agree = 0;
  for (let n = 0; n < images; n++) {
    const a = trained.subarray(n * stride, n * stride + classes);
    const b = merged.logits.subarray(n * stride, n * stride + classes);
    for (let c = 0; c < classes; c++) {
      // a NaN must fail the proof: Math.max keeps it, where a comparison would forget it at the next number
      difference = Math.max(difference, Math.abs(a[c] - b[c]));
      largest = Math.max(largest, Math.abs(a[c]));
    }
    if (argmax(a) === argmax(b)) agree++;
  }
  const relative = difference / Math.max(largest, 1e-6);
  const top1Agreement = agree / images;
  const proof = {
    maxAbsLogitDiff: difference,
    maxRelLogitDiff: relative,
    top1Agreement,
    images,
    parameters: [input.parameters, merged.parameters] as [number, number],
    multiplyAdds: [input.multiplyAdds, merged.multiplyAdds] as [number, number],
  } satisfies Omit<MergeProof, 'ok'>;
  return { ...proof, ok: relative <= TOLERANCE && top1Agreement === 1 && sameCosts(proof) };
}

const sameCosts = ({ parameters, multiplyAdds }: Pick<MergeProof, 'parameters' | 'multiplyAdds'>): boolean =>
  parameters[0] === parameters[1] && multiplyAdds[0] === multiplyAdds[1];

/** What is said of a merge that could not be compared with anything: no images, and no figure is a number. */
export function unproven({ parameters, multiplyAdds }: Omit<Measured, 'logits'>): MergeProof {
  return {
    maxAbsLogitDiff: Number.NaN,
    maxRelLogitDiff: Number.NaN,
    top1Agreement: Number.NaN,
    images: 0,
    parameters: [parameters, parameters],
    multiplyAdds: [multiplyAdds, multiplyAdds],
    ok: false,
  };
}

function argmax(row: Float32Array): number {
  let best = 0;
  for (let c = 1; c < row.length; c++) if (row[c] > row[best]) best = c;
  return best;
}
