import { UserError } from '../errors';
import type { Gpu } from '../gpu/device';
import { differentiate } from '../graph/autograd';
import { compile } from '../graph/compile';
import { Graph } from '../graph/graph';
import type { Plan } from '../graph/ir';
import { product, type Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import type { StateDict } from '../io/tensor';
import { instantiate } from '../model/instantiate';
import { activationLayout, engineShape, type Layout, pack, unpack } from '../model/layout';
import type { Model } from '../model/model';
import { loadState } from '../model/state';
import { copy } from '../ops/copy';
import { standardPasses } from '../passes/standard';
import { Session } from '../runtime/session';
import { taskOf } from './task';

/** The size of the images of a pass, and how many there are. */
export interface PassSize {
  batch: number;
  /** in pixels, of what the network sees */
  height: number;
  width: number;
}

/** Of images `[n, channels, height, width]`, each by its own loss. */
export interface InputGradients {
  /** d(loss of an image) / d(that image), in the images' shape */
  gradient: Float32Array<ArrayBuffer>;
  /** `[n, classes]` */
  logits: Float32Array<ArrayBuffer>;
}

/**
 * The gradient of the loss with respect to the images, of a network in evaluation (running statistics, nothing dropped): what
 * FGSM (arXiv 1412.6572) and PGD (1706.06083) follow. Parameters get no gradient, and nothing of the network changes.
 */
export class InputGradient {
  private constructor(
    private readonly session: Session<'gradient'>,
    private readonly images: Layout,
    private readonly classes: number,
  ) {}

  /** @throws UserError where the state does not fit the model, or images of that size do not */
  static async create(gpu: Gpu, model: Model, state: StateDict, size: PassSize): Promise<InputGradient> {
    const plan = inputGradientPlan(model, size, gpu.tuning);
    const session = await Session.create(gpu, { gradient: plan });
    try {
      loadState(session, model, state);
    } catch (error) {
      session.destroy();
      throw error;
    }
    return new InputGradient(session, imagesOf(model, size), model.head.classes);
  }

  /**
   * @param images normalised, `[n, channels, height, width]`, any number of them
   * @param labels the class that each image's loss is of
   */
  async of(images: ArrayLike<number>, labels: ArrayLike<number>): Promise<InputGradients> {
    const { classes } = this;
    const [batch, ...image] = this.images.view;
    const [count, size] = [labels.length, product(image)];
    if (images.length !== count * size)
      throw new UserError(`${images.length} numbers are not ${count} images of ${image.join(' x ')}.`);
    for (let i = 0; i < count; i++)
      if (!(labels[i] >= 0 && labels[i] < classes))
        throw new UserError(`The label ${labels[i]} is none of ${classes} classes.`);
    const gradient = new Float32Array(images.length);
    const logits = new Float32Array(count * classes);
    for (let first = 0; first < count; first += batch) {
      const rows = Math.min(batch, count - first);
      const of = await this.pass(part(images, first * size, batch * size), part(labels, first, batch), rows);
      gradient.set(of.gradient.subarray(0, rows * size), first * size);
      logits.set(of.logits.subarray(0, rows * classes), first * classes);
    }
    return { gradient, logits };
  }

  private async pass(
    images: ArrayLike<number>,
    labels: ArrayLike<number>,
    rows: number,
  ): Promise<InputGradients> {
    const { session } = this;
    session.write('input:x', pack(images, this.images));
    session.write('input:target', Uint32Array.from(labels));
    // a sum of losses, no mean: an image's gradient does not depend on those beside it
    const step = { rows, batchWeight: 1 };
    const [gradient, logits] = await session.runAndRead('gradient', step, 'output:dx', 'output:logits');
    const layout = activationLayout([this.images.view[0], this.classes]);
    return { gradient: unpack(gradient, this.images), logits: unpack(logits, layout) };
  }

  /** Frees the device's memory. */
  destroy(): void {
    this.session.destroy();
  }
}

const imagesOf = ({ input }: Model, { batch, height, width }: PassSize): Layout =>
  activationLayout([batch, input.channels, height, width]);

/** `count` numbers from `first` on, zeros behind the end. */
const part = (all: ArrayLike<number>, first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => all[first + i] ?? 0);

/** The plan of such a pass: images `input:x` and classes `input:target` to `output:dx` and `output:logits`. */
export function inputGradientPlan(model: Model, size: PassSize, tuning?: Tuning): Plan {
  const graph = new Graph();
  const layout = imagesOf(model, size);
  const x = graph.tensor('x', engineShape(layout), { role: 'input', padded: layout.padded });
  const shape = [size.batch];
  const target = graph.tensor('target', shape, { role: 'input', dtype: 'u32', padded: shape });
  const { logits } = instantiate(model, graph, x, { training: false });
  const dlogits = taskOf(model).loss(graph, logits, target, { labelSmoothing: 0 });
  const dx = differentiate(graph, [x], [[logits, dlogits]]).get(x);
  if (!dx) throw new UserError(`The logits of ${model.name} do not depend on its images.`);
  const output = (name: string, t: Tensor) =>
    copy(graph, name, t, graph.tensor(name, t.shape, { role: 'output', padded: t.padded }));
  output('dx', dx);
  output('logits', logits);
  return compile(graph, { passes: standardPasses(), tuning });
}
