import { shuffledOrder } from '../data/order';
import type { LabelledImages } from '../data/types';
import { type Gpu, throwFailure } from '../gpu/device';
import { pad4 } from '../graph/tensor';
import type { StateDict } from '../io/tensor';
import type { Architecture } from '../model/net';
import { loadState } from '../model/state';
import { METRICS_RING } from '../ops/loss/cross-entropy';
import { Session } from '../runtime/session';
import { evaluationProgram } from './programs';

export interface Evaluation {
  accuracy: number;
  /** mean cross-entropy */
  loss: number;
  images: number;
}

export interface Normalisation {
  mean: readonly number[];
  std: readonly number[];
}

/** The order of an evaluation, the same always: folders come class by class, and its first images stand for all. */
const evaluationOrder = (count: number): Uint32Array<ArrayBuffer> => shuffledOrder(count, 0, 0);

/** Writes an image set to the inputs of a program, in the order of an evaluation. */
export function uploadImages(session: Session<string>, name: string, images: LabelledImages): void {
  const { pixels, count } = images;
  const bytes = pad4(pixels.length);
  const padded = bytes === pixels.length ? pixels : new Uint8Array(bytes);
  if (padded !== pixels) padded.set(pixels);
  session.write(`input:${name} images`, padded);
  session.write(`input:${name} labels`, Uint32Array.from(images.labels));
  session.write(`input:${name} order`, evaluationOrder(count));
}

/**
 * Runs the evaluation program over the whole test set. `logits` of the first `keep` images are kept, `classes` a row.
 * The metrics are read once in 256 batches.
 */
export async function runEvaluation(
  session: Session<string>,
  count: number,
  batch: number,
  keep = 0,
): Promise<Evaluation & { logits: Float32Array }> {
  const batches = Math.ceil(count / batch);
  const kept: Float32Array[] = [];
  let loss = 0;
  let correct = 0;
  for (let b = 0; b < batches; b++) {
    const rows = Math.min(batch, count - b * batch);
    session.run('evaluate', { step: b, batchOffset: b * batch, rows });
    if (b * batch < keep) kept.push((await session.read('output:logits'))[0].slice());
    if (b === batches - 1 || b % METRICS_RING === METRICS_RING - 1) {
      const [ring] = await session.read('output:metrics');
      for (let i = 0; i <= b % METRICS_RING; i++) {
        loss += ring[i * 4];
        correct += ring[i * 4 + 1];
      }
    } else await session.backpressure();
  }
  return { accuracy: correct / count, loss: loss / count, images: count, logits: concatenate(kept) };
}

/** Evaluates a plain network on the first `limit` images (all). Makes and frees a session of its own. */
export async function evaluateNetwork(
  gpu: Gpu,
  architecture: Architecture,
  state: StateDict,
  images: LabelledImages,
  options: Normalisation & { batch?: number; limit?: number; keep?: number },
): Promise<Evaluation & { logits: Float32Array; parameters: number; multiplyAdds: number }> {
  const batch = Math.min(options.batch ?? 128, images.count);
  const { count, height, width } = images;
  const { net, plan } = evaluationProgram({
    architecture,
    images: { name: 'test', count, height, width, mean: options.mean, std: options.std },
    batch,
    layout: {},
    tuning: gpu.tuning,
  });
  let session: Session<string> | undefined;
  try {
    session = await Session.create(gpu, { evaluate: plan });
    loadState(session, net, state);
    uploadImages(session, 'test', images);
    const evaluation = await runEvaluation(session, options.limit ?? count, batch, options.keep);
    return { ...evaluation, parameters: net.parameterCount(), multiplyAdds: net.multiplyAdds };
  } catch (error) {
    throw await failureBehind(gpu, error);
  } finally {
    session?.destroy();
  }
}

/**
 * The device's failure where it has one, else the error itself: calls on a device whose process has crashed end with
 * words of the browser's own, and now and then before the device is known to be lost.
 */
export async function failureBehind(gpu: Gpu, error: unknown): Promise<Error> {
  return throwFailure(gpu, error).catch((cause: Error) => cause);
}

function concatenate(parts: Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((a, p) => a + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
