import { type Feed, openFeed } from '../data/feed';
import { evaluationOrder } from '../data/order';
import type { LabelledImages } from '../data/types';
import type { Gpu } from '../gpu/device';
import type { StateDict } from '../io/tensor';
import { type Model, parameterCount } from '../model/model';
import { loadState } from '../model/state';
import { METRICS_RING } from '../ops/loss/metrics';
import { Session } from '../runtime/session';
import { halving } from './halving';
import { evaluationRows, heldImages, mostHeld } from './held';
import type { Figures } from './metrics';
import { evaluationProgram } from './programs';
import { taskOf } from './task';
import type { Task } from './task-types';

/** An evaluation: its figures, and the logits that were kept. */
export interface Evaluation {
  figures: Figures;
  logits: Float32Array;
}

export interface Normalisation {
  mean: readonly number[];
  std: readonly number[];
}

interface EvaluationPart<Name> {
  /** default: `evaluate` */
  program?: Name | 'evaluate';
  /** of all images; default: an evaluation's */
  order?: Uint32Array<ArrayBuffer>;
  /** images; default: all */
  count?: number;
  batch: number;
  /** whose logits are kept; default: none */
  keep?: number;
  /** called before each batch with the images that are done; what it throws ends the evaluation */
  goOn?: (done: number) => void;
}

/**
 * Runs the evaluation program over the first `count` images of an evaluation's order. The logits of the first `keep` of
 * them are kept, padded as the program writes them. The metrics are read once in METRICS_RING batches.
 */
export async function runEvaluation<Name extends string>(
  session: Session<Name | 'evaluate'>,
  task: Task,
  feed: Feed,
  { program = 'evaluate', order, count = feed.count, batch, keep = 0, goOn }: EvaluationPart<Name>,
): Promise<Evaluation> {
  const taken = order ?? evaluationOrder(feed.count);
  feed.begin(taken);
  const read = task.measure ? count : keep;
  const batches = Math.ceil(count / batch);
  const kept: Float32Array[] = [];
  const sums = new Float64Array(task.sums);
  await session.ready(program);
  for (let b = 0; b < batches; b++) {
    goOn?.(b * batch);
    const rows = Math.min(batch, count - b * batch);
    await feed.ready(b * batch, rows);
    session.run(program, { step: b, batchOffset: b * batch, rows });
    const wanted = Math.min(rows, read - b * batch);
    if (wanted > 0) {
      const [logits] = await session.read('output:logits');
      kept.push(logits.subarray(0, wanted * (logits.length / batch)));
    }
    if (b === batches - 1 || b % METRICS_RING === METRICS_RING - 1) {
      const [ring] = await session.read('output:metrics');
      const end = ((b % METRICS_RING) + 1) * task.sums;
      for (let i = 0; i < end; i++) sums[i % task.sums] += ring[i];
    } else await session.backpressure();
  }
  const figures = task.figures(sums);
  const logits = concatenate(kept);
  if (!task.measure) return { figures, logits };
  const accuracy = task.measure(logits, taken, feed.images);
  return {
    figures: { ...figures, accuracy },
    logits: logits.subarray(0, (logits.length / count) * Math.min(keep, count)),
  };
}

type EvaluateOptions = Normalisation &
  Partial<Pick<EvaluationPart<never>, 'batch' | 'keep' | 'goOn'>> & {
    limit?: number;
    /** a set of more bytes is streamed; default: as the device asks */
    heldBytes?: number;
  };

/**
 * Evaluates a plain network on the first `limit` images (all). Makes and frees a session of its own; where memory is short for a
 * batch, in smaller ones: an image's logits do not depend on those beside it.
 */
export const evaluateNetwork = (
  gpu: Gpu,
  model: Model,
  state: StateDict,
  images: LabelledImages,
  options: EvaluateOptions,
): Promise<Evaluation & { parameters: number; multiplyAdds: number }> =>
  evaluating(gpu, model, images, options, async (evaluator) => {
    evaluator.load(state);
    await evaluator.show(images);
    const { multiplyAdds } = evaluator;
    return { ...(await evaluator.run(options)), parameters: parameterCount(model), multiplyAdds };
  });

/**
 * Has `work` evaluate as many states of a plain model on as many sets of images as it wants, all as large as `images`, in one session,
 * which is freed at its end. Where memory is short for a batch, `work` begins anew with smaller ones.
 */
export const evaluating = <T>(
  gpu: Gpu,
  model: Model,
  images: LabelledImages,
  options: Normalisation & Pick<EvaluateOptions, 'batch' | 'heldBytes'>,
  work: (evaluator: Evaluator) => Promise<T>,
): Promise<T> =>
  halving(gpu, Math.min(options.batch ?? evaluationRows(images), images.count), async (batch) => {
    const evaluator = await Evaluator.create(gpu, model, images, { ...options, batch });
    try {
      return await work(evaluator);
    } finally {
      evaluator.destroy();
    }
  });

/** A session in which states of one model are evaluated on sets of one size. */
export class Evaluator {
  private feed?: Feed;

  private constructor(
    private readonly session: Session<'evaluate'>,
    private readonly model: Model,
    private readonly batch: number,
    private readonly held: number,
    /** of an image */
    readonly multiplyAdds: number,
  ) {}

  static async create(
    gpu: Gpu,
    model: Model,
    { count, height, width, crop }: LabelledImages,
    { batch, heldBytes = mostHeld(gpu), mean, std }: Normalisation & { batch: number; heldBytes?: number },
  ): Promise<Evaluator> {
    const held = heldImages({ count, height, width }, batch, heldBytes);
    const { instance, plan } = evaluationProgram({
      model,
      images: { name: 'test', count, held, height, width, crop, mean, std },
      batch,
      layout: {},
      tuning: gpu.tuning,
    });
    const session = await Session.create(gpu, { evaluate: plan });
    return new Evaluator(session, model, batch, held, instance.multiplyAdds);
  }

  /** The numbers that the model has from now on. */
  load(state: StateDict): void {
    loadState(this.session, this.model, state);
  }

  /** The images that it sees from now on. */
  async show(images: LabelledImages): Promise<void> {
    this.feed = await openFeed(
      this.session,
      'test',
      images,
      this.held,
      taskOf(this.model).targets?.of(images),
    );
  }

  /** Of the state and the images that are there. */
  run({ limit, keep, goOn }: Pick<EvaluateOptions, 'limit' | 'keep' | 'goOn'>): Promise<Evaluation> {
    if (!this.feed) throw new Error('an evaluator has no images yet');
    const part = { count: limit, batch: this.batch, keep, goOn };
    return runEvaluation(this.session, taskOf(this.model), this.feed, part);
  }

  destroy(): void {
    this.session.destroy();
  }
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
