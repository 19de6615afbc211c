import { type Feed, openFeed } from '../data/feed';
import { evaluationOrder } from '../data/order';
import type { LabelledImages } from '../data/types';
import type { Gpu } from '../gpu/device';
import { differentiate } from '../graph/autograd';
import { compile } from '../graph/compile';
import { Graph } from '../graph/graph';
import type { Plan } from '../graph/ir';
import type { StateDict } from '../io/tensor';
import { instantiate } from '../model/instantiate';
import { pack } from '../model/layout';
import type { Model } from '../model/model';
import { loadState, numbersOf } from '../model/state';
import { accumulate } from '../ops/optim/accumulate';
import { standardPasses } from '../passes/standard';
import { Session } from '../runtime/session';
import { Snapshot } from '../runtime/snapshot';
import { type Normalisation, runEvaluation } from './evaluate';
import { evaluationRows, heldImages, mostHeld } from './held';
import type { Figures } from './metrics';
import { batchOf, evaluationProgram, type ImageInput, type ProgramOptions } from './programs';
import { taskOf } from './task';

export interface SurfaceOptions extends Normalisation {
  /** default: an evaluation's */
  batch?: number;
  /** called before each batch, with its images; what it throws ends the work */
  goOn?: (images: number) => void;
}

/** A network's numbers as points: all parameters in one row, and its running statistics in another, as the device holds them. */
export interface Point {
  parameters: Float32Array<ArrayBuffer>;
  /** empty where the network has none */
  state: Float32Array<ArrayBuffer>;
}

type Program = 'evaluate' | 'gradient';

/**
 * The mean cross-entropy of a plain network on a set of images as a function of its parameters: its value and its gradient
 * anywhere. The network is in evaluation: batch norm goes by its running statistics, which stay as they are unless a point brings
 * others, and nothing is dropped. So the value is a mean over the images alone, whatever the batches.
 */
export class LossSurface {
  private constructor(
    private readonly session: Session<Program>,
    private readonly model: Model,
    private readonly feed: Feed,
    private readonly batch: number,
    private readonly goOn: (images: number) => void,
    /** where the network is */
    readonly origin: Point,
  ) {}

  /** @throws UserError where the device has too little memory */
  static async create(
    gpu: Gpu,
    model: Model,
    state: StateDict,
    images: LabelledImages,
    { batch = evaluationRows(images), goOn = () => {}, mean, std }: SurfaceOptions,
  ): Promise<LossSurface> {
    const { count, height, width, crop } = images;
    const rows = Math.min(batch, count);
    const held = heldImages(images, rows, mostHeld(gpu));
    const input = { name: 'test', count, held, height, width, crop, mean, std };
    const common = { layout: {}, tuning: gpu.tuning };
    const gradient = gradientPlan(model, input, rows, common);
    const { plan } = evaluationProgram({ model, images: input, batch: rows, ...common });
    const session = await Session.create<Program>(gpu, { evaluate: plan, gradient });
    try {
      loadState(session, model, state);
      const feed = await openFeed(session, 'test', images, held);
      const { buffers } = await session.snapshot('parameters', 'state');
      const origin = {
        parameters: buffers.get('parameters')!,
        state: buffers.get('state') ?? new Float32Array(),
      };
      return new LossSurface(session, model, feed, rows, goOn, origin);
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  /** Loss and accuracy at a point. */
  async at(point: Partial<Point>): Promise<Figures> {
    this.moveTo(point);
    const { session, feed, batch, model } = this;
    const goOn = () => this.goOn(batch);
    const { figures } = await runEvaluation(session, taskOf(model), feed, { batch, goOn });
    return figures;
  }

  /** The gradient of the loss at a point, in the order of its numbers. */
  async gradientAt(point: Partial<Point>): Promise<Float32Array> {
    this.moveTo(point);
    const { session, feed, batch } = this;
    session.clear('gradients', 'gradient sums');
    feed.begin(evaluationOrder(feed.count));
    for (let first = 0; first < feed.count; first += batch) {
      const rows = Math.min(batch, feed.count - first);
      this.goOn(rows);
      await feed.ready(first, rows);
      session.run('gradient', { batchOffset: first, rows, batchWeight: feed.count });
      await session.backpressure();
    }
    const { buffers } = await session.snapshot('gradient sums');
    return buffers.get('gradient sums')!;
  }

  /** A point whose parameters are those tensors (PyTorch's shapes, by name), and zeros where there is none. */
  parametersOf(tensors: StateDict): Float32Array<ArrayBuffer> {
    const out = new Float32Array(this.origin.parameters.length);
    for (const { name, role, layout } of this.model.state) {
      const tensor = tensors.get(name);
      if (role !== 'parameter' || !tensor) continue;
      out.set(pack(numbersOf(tensor), layout), this.session.range(`parameter:${name}`).offset / 4);
    }
    return out;
  }

  private moveTo({ parameters, state }: Partial<Point>): void {
    const { origin, session } = this;
    const contents = new Map([['parameters', parameters ?? origin.parameters]]);
    if (origin.state.length > 0) contents.set('state', state ?? origin.state);
    session.restore(new Snapshot(contents, (tensor) => session.range(tensor)));
  }

  /** Frees the device's memory. */
  destroy(): void {
    this.session.destroy();
  }
}

/** A batch's loss and its gradients, which are added to those of the batches before it. */
function gradientPlan(
  model: Model,
  images: ImageInput,
  batch: number,
  { layout, tuning }: Pick<ProgramOptions, 'layout' | 'tuning'>,
): Plan {
  const graph = new Graph();
  const { x, target } = batchOf(graph, { images, batch, model });
  const { logits } = instantiate(model, graph, x, { training: false });
  const dlogits = taskOf(model).loss(graph, logits, target, { labelSmoothing: 0 });
  const parameters = graph.tensors.filter(({ role }) => role === 'parameter');
  differentiate(graph, parameters, [[logits, dlogits]]);
  accumulate(graph, 'more');
  return compile(graph, { passes: standardPasses(), layout, tuning });
}
