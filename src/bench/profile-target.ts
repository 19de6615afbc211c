import { openFeed } from '../data/feed';
import { evaluationOrder } from '../data/order';
import type { Gpu } from '../gpu/device';
import { initialState } from '../model/init';
import { loadState } from '../model/state';
import { type DataSource, trainingSize } from '../run/data-source';
import type { ModelSource } from '../run/loaded-network';
import { loadNetwork } from '../run/network-source';
import {
  MANY_IMAGES,
  modelOf,
  type PlanOptions,
  type StepOptions,
  stepOptions,
  stepProgram,
} from '../run/plan-summary';
import { Session } from '../runtime/session';
import type { StepUniform } from '../runtime/step';
import { decideSettings } from '../train/decide';
import type { TrainSettings } from '../train/settings';
import { loadTask } from '../train/task';
import { selectCases } from './cases';
import { compileInTurn, type KernelProfile } from './compile-times';
import { benchGraph } from './graphs';
import { openSession, planOf } from './jobs';
import { LEARNING_RATE } from './network';

/** What to profile: a benchmark case, or a training step on random numbers, of a network or as a run takes it. */
export type ProfileTarget =
  | { kind: 'case'; name: string }
  | { kind: 'network'; options: PlanOptions }
  | ({ kind: 'run' } & ProfileRun);

/** A training run of which only the shapes matter: the network's classes, the images' size. */
export interface ProfileRun {
  model: ModelSource;
  /** absent: images of `imageSize`, or 32 pixels a side */
  train?: DataSource;
  settings: TrainSettings;
}

export interface OpenTarget {
  session: Session<'run'>;
  name: string;
  step: StepUniform;
  kernels: KernelProfile[];
}

/**
 * What is to be profiled, ready to run.
 * @throws UserError on a case, network or file that is none
 */
export async function openTarget(gpu: Gpu, target: ProfileTarget): Promise<OpenTarget> {
  if (target.kind === 'case') {
    const [chosen] = selectCases([target.name]);
    const graph = benchGraph(chosen);
    const plan = planOf(gpu, graph);
    const kernels = await compileInTurn(gpu, plan);
    const session = await openSession(gpu, graph, plan);
    return { session, name: chosen.name, step: { rows: 2 ** 31, lr: LEARNING_RATE }, kernels };
  }
  if (target.kind === 'network') await loadTask(modelOf(target.options.network));
  const step = target.kind === 'network' ? stepOptions(target.options) : await stepOfRun(target);
  const { model, settings, height, width } = step;
  const { batch, method } = settings;
  const { classes } = model.head;
  const name = `${model.name}, ${method}, batch of ${batch}, ${height} × ${width} pixels, ${classes} classes`;
  return { ...(await openStep(gpu, step)), name, step: { rows: batch, lr: LEARNING_RATE } };
}

const DEFAULT_SIZE = 32;

/** The step that a run takes; of its images only as many are read as tell their size. */
async function stepOfRun({ model: source, train, settings }: ProfileRun): Promise<StepOptions> {
  const model = source.kind === 'random' ? modelOf(source.network) : (await loadNetwork(source)).model;
  await loadTask(model);
  const side = settings.imageSize || DEFAULT_SIZE;
  const decided = (images: number, longer = side) =>
    decideSettings(settings, { input: model.input, images, side: longer });
  if (settings.imageSize > 0 || train?.kind !== 'files')
    return { model, settings: decided(MANY_IMAGES), height: side, width: side };
  // an image of each class at least: a set without one is refused
  const { height, width, count } = await trainingSize(train, settings, Math.max(64, model.head.classes));
  return { model, settings: decided(count, Math.max(height, width)), height, width };
}

/** A training step on random weights and images. */
async function openStep(gpu: Gpu, options: StepOptions): Promise<Pick<OpenTarget, 'session' | 'kernels'>> {
  const { model, plan } = stepProgram(options, gpu.tuning);
  const kernels = await compileInTurn(gpu, plan);
  const session: Session<'run'> = await Session.create(gpu, { run: plan });
  loadState(session, model, initialState(model, 0));
  const { height, width, settings } = options;
  const count = settings.batch;
  const pixels = new Uint8Array(count * height * width * 3).map((_, i) => Math.imul(i, 2654435761) >>> 24);
  const labels = new Uint16Array(count).map((_, i) => i % model.head.classes);
  const images = { pixels, labels, count, height, width, classes: [], skipped: [] };
  const feed = await openFeed(session, 'train', images, count);
  feed.begin(evaluationOrder(count));
  return { session, kernels };
}
