import { builtinSentence } from '../data/builtin/builtin';
import { closeImages, cropOf } from '../data/pixels';
import type { LabelledImages } from '../data/types';
import type { Gpu } from '../gpu/device';
import type { StateDict } from '../io/tensor';
import { addedNorms, withoutBiases } from '../model/added-norms';
import { initialState } from '../model/init';
import { stepsPerEpoch } from '../train/batches';
import { decideSettings } from '../train/decide';
import { checkMicroBatch } from '../train/micro-batches';
import { scheduleOf } from '../train/schedule';
import type { RunSettings, TrainSettings } from '../train/settings';
import { forTask, isClassifier } from '../train/task';
import { trainedModel } from '../train/trained-model';
import type { Training } from '../train/training-session';
import { asTrained, loadRunImages } from './data-source';
import type { FittedNetwork } from './head';
import { tells } from './head-plan';
import type { RunContext, TrainJob } from './job';
import { isRandom, type LoadedNetwork } from './loaded-network';
import { loadNetwork } from './network-source';
import { continuing, startingMaps } from './unmerged';

export type Loaded = Awaited<ReturnType<typeof load>>;

/** What a job names, with every setting decided; the images are to be closed. */
export async function load(
  job: TrainJob,
  { memo, kept, emit, goOn }: Pick<RunContext, 'memo' | 'kept' | 'emit'> & { goOn: () => void },
) {
  const { settings } = job;
  emit({ type: 'phase', phase: 'load', message: 'Loading the network and the images' });
  const loaded = await loadNetwork(job.model);
  const onProgress = (done: number, total: number) => {
    goOn();
    emit({ type: 'phase', phase: 'load', message: `Reading images: ${done} of ${total}` });
  };
  const asked = forTask(asTrained(settings, loaded), loaded.model);
  const context = { memo, kept, onProgress };
  const { train, test, trainable, split, own, reports } = await loadRunImages(job, asked, context);
  try {
    const network = await fitted(loaded, train.classes, settings);
    for (const message of network.notes) emit({ type: 'note', message });
    if (job.train.kind === 'builtin') emit({ type: 'note', message: builtinSentence(job.train.set) });
    if (reports.length > 0) emit({ type: 'data', reports });
    for (const { warnings } of reports) for (const message of warnings) emit({ type: 'warning', message });
    // a head waits for nothing where all around it is new
    const newHead = network.newHead && !isRandom(job.model);
    const { height, width } = cropOf(train);
    const decided = decideSettings(
      { ...asked, cropPct: own ? 1 : asked.cropPct },
      // a run that chooses a setting is to be as the one that it chooses it for
      { input: network.model.input, images: trainable, side: Math.max(height, width), newHead },
    );
    if (!isClassifier(network.model)) {
      const { checkTask } = await import('../train/check-task');
      checkTask(network.model, [train, test], decided);
    }
    return { network, train, test, split, reports, settings: decided };
  } catch (error) {
    await closeImages(train, test);
    throw error;
  }
}

/** The network with a classifier for the images' classes; where it has that, as the built-in one, by no code of others. */
async function fitted(
  network: LoadedNetwork,
  classes: readonly string[],
  settings: TrainSettings,
): Promise<FittedNetwork> {
  const { model, classes: known, headless } = network;
  if (tells({ count: model.head.classes, classes: known, headless }, classes, settings.head))
    return { ...network, classes, newHead: false };
  const { fitHead } = await import('./head');
  return fitHead(network, classes, settings);
}

const isRefocusing = ({ method }: RunSettings): boolean => method === 'refocus' || method === 'joint';

/** What the trainer needs of a network, images and settings. */
export function prepare(
  { file, model: plain, state, unmerged }: FittedNetwork,
  train: LabelledImages,
  test: LabelledImages,
  settings: RunSettings,
): Training {
  const continued = continuing(settings, unmerged);
  const goesOn = unmerged !== undefined && isRefocusing(settings);
  // what goes on from maps starts from numbers that are not zero
  const model = trainedModel(plain, goesOn ? { ...continued, mapInit: 'kaiming' } : settings, file);
  const fresh = initialState(model, settings.seed, settings.mapInit);
  const given = withoutBiases(state, model);
  const maps = goesOn ? startingMaps(model, unmerged, file) : [];
  const start: StateDict = new Map(settings.method === 'retrain' ? fresh : [...fresh, ...given, ...maps]);
  const schedule = scheduleOf(settings, stepsPerEpoch({ train, settings }));
  checkMicroBatch({ model, train, settings });
  return { model, start, train, test, settings, schedule };
}

/** Where norms are added for the training, has them start so that the network is what it was. */
export async function withStartNorms(
  gpu: Gpu,
  training: Training,
  network: FittedNetwork,
  goOn: () => void,
): Promise<void> {
  const { model, settings } = training;
  if (addedNorms(model).length === 0 || settings.method === 'retrain') return;
  const { startNorms } = await import('../train/start-norms');
  training.start = new Map([...training.start, ...(await startNorms(gpu, network, training, goOn))]);
}
