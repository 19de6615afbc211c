import { type Feed, ResidentFeed } from '../data/feed';
import { evaluationOrder } from '../data/order';
import type { LabelledImages } from '../data/types';
import { type Gpu, throwFailure } from '../gpu/device';
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

/**
 * Runs the evaluation program over the first `count` images of an evaluation's order. `logits` of the first `keep` of
 * them are kept, `classes` a row. The metrics are read once in 256 batches.
 */
export async function runEvaluation(
  session: Session<string>,
  feed: Feed,
  { count = feed.count, batch, keep = 0 }: { count?: number; batch: number; keep?: number },
): Promise<Evaluation & { logits: Float32Array }> {
  feed.begin(evaluationOrder(feed.count));
  const batches = Math.ceil(count / batch);
  const kept: Float32Array[] = [];
  let loss = 0;
  let correct = 0;
  for (let b = 0; b < batches; b++) {
    const rows = Math.min(batch, count - b * batch);
    session.run('evaluate', { step: b, batchOffset: await feed.batch(b * batch, rows), rows });
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
    const feed = new ResidentFeed(session, 'test', images);
    const { limit, keep } = options;
    const evaluation = await runEvaluation(session, feed, { count: limit, batch, keep });
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
