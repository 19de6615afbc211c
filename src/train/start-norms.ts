/** What batch norms that are added for the training start from, so that the network remains the function that it is. */
import { openFeed } from '../data/feed';
import { trainingOrder } from '../data/order';
import type { Gpu } from '../gpu/device';
import { compile } from '../graph/compile';
import { Graph } from '../graph/graph';
import type { Plan } from '../graph/ir';
import { floats, type StateDict } from '../io/tensor';
import { addedNorms, convOf, withProbes } from '../model/added-norms';
import { initialState } from '../model/init';
import { instantiate } from '../model/instantiate';
import type { Model } from '../model/model';
import { loadState, numbersOf } from '../model/state';
import { standardPasses } from '../passes/standard';
import { Session } from '../runtime/session';
import { evaluationRows } from './held';
import { batchOf } from './programs';
import type { Training } from './training-session';

/** Training images that the statistics are of, where there are so many: as torch's SWA re-estimates them, of some batches. */
const MOST_IMAGES = 512;

/**
 * Added norms that leave a network as it is: their running statistics are those of each convolution's outputs on the first
 * training images of the run, without their random changes, and weight and bias undo them.
 * @param plain the network without the norms, and its state
 * @returns the norms' entries of the state dict
 */
export async function startNorms(
  gpu: Gpu,
  plain: { model: Model; state: StateDict },
  t: Pick<Training, 'train' | 'settings'>,
  goOn: () => void = () => {},
): Promise<StateDict> {
  const { model, state } = plain;
  const probed = withProbes(model);
  const images = measuredImages(t);
  const { plan, held } = probeProgram(probed, images, t, gpu);
  const norms = addedNorms(probed);
  const sums = new Map(norms.map(({ name }) => [name, new Sums()]));
  const session = await Session.create(gpu, { probe: plan });
  try {
    loadState(session, probed, new Map([...initialState(probed, 0), ...state]));
    const feed = await openFeed(session, 'train', t.train, held);
    feed.begin(trainingOrder(t.train.count, t.settings.seed, 0));
    for (let first = 0; first < images.count; first += images.batch) {
      goOn();
      await feed.ready(first, images.batch);
      session.run('probe', { step: 0, batchOffset: first, rows: images.batch });
      const snapshot = await session.snapshot('state');
      for (const { name } of norms) {
        const { length } = state.get(`${convOf(name)}.bias`)!.data;
        const of = (leaf: string) => snapshot.tensor(`state:${name}.${leaf}`).subarray(0, length);
        sums.get(name)!.add(of('running_mean'), of('running_var'));
      }
    }
  } finally {
    session.destroy();
  }
  return new Map(
    norms.flatMap(({ name, eps }) =>
      startOf(name, eps, sums.get(name)!.statistics(), numbersOf(state.get(`${convOf(name)}.bias`)!)),
    ),
  );
}

/** Whole batches of images, so that each tells as much as the others. */
function measuredImages({ train, settings }: Pick<Training, 'train' | 'settings'>) {
  const batch = Math.min(evaluationRows(train), settings.microBatch, train.count);
  return { batch, count: batch * Math.max(1, Math.floor(Math.min(train.count, MOST_IMAGES) / batch)) };
}

function probeProgram(
  model: Model,
  { batch }: { batch: number },
  { train, settings: { mean, std } }: Pick<Training, 'train' | 'settings'>,
  { tuning }: Gpu,
): { plan: Plan; held: number } {
  const { count, height, width, crop } = train;
  const held = Math.min(2 * batch, count);
  const graph = new Graph();
  const images = { name: 'train', count, held, height, width, crop, mean, std };
  const { x } = batchOf(graph, { images, batch, model });
  instantiate(model, graph, x, { training: true, deterministic: true });
  return { plan: compile(graph, { passes: standardPasses({}), tuning }), held };
}

interface Statistics {
  mean: Float64Array;
  variance: Float64Array;
}

/** Means and variances of equal batches, put together. */
class Sums {
  private count = 0;
  private means = new Float64Array();
  private squares = new Float64Array();
  private variances = new Float64Array();

  add(mean: Float32Array, variance: Float32Array): void {
    const { length } = mean;
    if (this.count++ === 0)
      [this.means, this.squares, this.variances] = [0, 1, 2].map(() => new Float64Array(length));
    for (let c = 0; c < length; c++) {
      this.means[c] += mean[c];
      this.squares[c] += mean[c] ** 2;
      this.variances[c] += variance[c];
    }
  }

  statistics(): Statistics {
    const { count, means, squares, variances } = this;
    const mean = means.map((m) => m / count);
    const between = squares.map((s, c) => Math.max(s / count - mean[c] ** 2, 0));
    return { mean, variance: variances.map((v, c) => v / count + between[c]) };
  }
}

/** A norm whose running statistics are these, and which undoes them; its convolution has lost its bias. */
function startOf(name: string, eps: number, { mean, variance }: Statistics, bias: ArrayLike<number>) {
  const of = (leaf: string, data: Float64Array) => [`${name}.${leaf}`, floats([data.length], data)] as const;
  return [
    of(
      'weight',
      variance.map((v) => Math.sqrt(v + eps)),
    ),
    of('bias', mean),
    of(
      'running_mean',
      mean.map((m, c) => m - bias[c]),
    ),
    of('running_var', variance),
  ];
}

/** One sentence on norms that were added; nothing where none were. */
export function normsSentence({
  model,
  train,
  settings,
}: Pick<Training, 'model' | 'train' | 'settings'>): string | undefined {
  const { length } = addedNorms(model);
  if (length === 0) return undefined;
  const convs = length === 1 ? 'One convolution has' : `${length} convolutions have`;
  const start =
    settings.method === 'retrain'
      ? ''
      : ` They start from the statistics of ${measuredImages({ train, settings }).count} training images, so that the network is at first what it was.`;
  return `${convs} a fresh batch norm for the training, which is folded into the weights at its end.${start}`;
}
