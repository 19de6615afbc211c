import { pick } from '../../data/pick';
import { closeImages, readImages } from '../../data/pixels';
import type { ImageSetReport } from '../../data/report';
import { selectBalanced } from '../../data/select';
import type { ImagesInMemory, LabelledImages } from '../../data/types';
import { Stopped, UserError } from '../../errors';
import type { Gpu } from '../../gpu/device';
import { parameterCount } from '../../model/model';
import type { Normalisation } from '../../train/evaluate';
import type { Control } from '../../train/observer';
import { defaultSettings, type TrainSettings } from '../../train/settings';
import { checkAnswers } from '../check-classifier';
import {
  asTrained,
  checkClasses,
  type DataSource,
  loadRunImages,
  loadTestImages,
  ofClasses,
} from '../data-source';
import type { AnalysisEvent } from '../job';
import type { LoadedNetwork } from '../loaded-network';
import { loadNetwork } from '../network-source';
import { namesOf } from '../run-record';
import { VERSION } from '../version';
import { analyseAttacks } from './attacks';
import { analyseCalibration } from './calibration';
import type { AnalysisContext, Subject } from './context';
import { analyseCorruptions } from './corruptions';
import { analyseLandscape } from './landscape';
import { type AnalyseJob, type AnalysisName, analyses, analysisNumbers, wantedOf } from './options';
import { passesOf } from './passes';
import type { Analysis, AnalysisResults } from './result';
import { analyseSharpness } from './sharpness';
import { analyseSimilarity } from './similarity';
import { analyseTransfer } from './transfer';
import { analyseWeights } from './weights';

/** Largest set of images that is held: corrupted copies are made of it. */
const MOST_BYTES = 2 ** 28;

/** Networks that can be compared at a time. */
const MOST_NETWORKS = 32;

/** Those that run networks. */
const WITH_IMAGES: {
  [Name in Exclude<AnalysisName, 'weights' | 'transfer'>]: (
    context: AnalysisContext,
  ) => Promise<AnalysisResults[Name]>;
} = {
  calibration: analyseCalibration,
  similarity: analyseSimilarity,
  corruptions: analyseCorruptions,
  attacks: analyseAttacks,
  sharpness: analyseSharpness,
  landscape: analyseLandscape,
};

/**
 * Analyses networks of one architecture: alone, and the others against the first. A cancelled analysis resolves with what was made
 * until then.
 * @throws UserError where a network or the images cannot be read, or do not fit each other
 */
export async function analyse(
  job: AnalyseJob,
  { gpu, control, emit }: { gpu: () => Promise<Gpu>; control: Control; emit: (event: AnalysisEvent) => void },
): Promise<Analysis> {
  const [began, date] = [performance.now(), new Date().toISOString()];
  const numbers = analysisNumbers(job.numbers);
  const subjects = await loadSubjects(job);
  const wanted = wantedOf(job);
  const needsImages = wanted.some((name) => analyses[name].needs !== 'nothing');
  const hasImages = (job.test ?? job.train) !== undefined;
  const loaded = needsImages && hasImages ? await loadImages(job, subjects[0], numbers.images) : undefined;
  const result: Analysis = {
    ...about(subjects, loaded, job),
    ...(loaded && { adapter: (await gpu()).name }),
    date,
    numbers,
    seconds: 0,
    stopped: false,
    results: {},
    failures: {},
  };
  const count = loaded?.images.count ?? 0;
  const progress = new Progress(passesOf(wanted, subjects.length, count, numbers), control, emit);
  const make = async (name: AnalysisName) => {
    progress.begin(analyses[name].label);
    if (name === 'weights') return analyseWeights(subjects);
    const context: AnalysisContext = {
      // a new one where the last was lost
      gpu: await gpu(),
      subjects,
      images: loaded!.images,
      normalisation: normalisationOf(job, subjects[0]),
      numbers,
      goOn: (images) => progress.advance(images),
    };
    return name === 'transfer' ? analyseTransfer(job.transfer!, context) : WITH_IMAGES[name](context);
  };
  for (const name of wanted) {
    try {
      Object.assign(result.results, { [name]: await make(name) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      result.stopped = error instanceof Stopped;
      if (result.stopped) break;
      result.failures[name] = error.message;
    }
  }
  result.seconds = (performance.now() - began) / 1000;
  return result;
}

/** What an analysis is of. */
function about(
  subjects: readonly (Subject & LoadedNetwork)[],
  loaded: { images: ImagesInMemory; report?: ImageSetReport } | undefined,
  { test, train }: AnalyseJob,
): Pick<Analysis, 'kind' | 'version' | 'networks' | 'images' | 'report' | 'notes'> {
  const networks = subjects.map(({ name, file, model }) => ({
    name,
    file,
    architecture: model.name,
    parameters: parameterCount(model),
  }));
  const read = subjects.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`));
  const notes = [...read, ...(loaded?.report?.warnings ?? [])];
  const from = test ?? train;
  if (!loaded || !from) return { kind: 'analysis', version: VERSION, networks, notes };
  const { images, report } = loaded;
  const { count, width, height, classes } = images;
  const source = namesOf(from).join(', ');
  return {
    kind: 'analysis',
    version: VERSION,
    networks,
    notes,
    images: { source, count, width, height, classes },
    report,
  };
}

/** @throws UserError where there is none, or they are not of one architecture */
async function loadSubjects({ networks }: AnalyseJob): Promise<(Subject & LoadedNetwork)[]> {
  if (networks.length < 1 || networks.length > MOST_NETWORKS)
    throw new UserError(`Name 1 to ${MOST_NETWORKS} networks to analyse, not ${networks.length}.`);
  const subjects = [];
  for (const { name, source } of networks) subjects.push({ ...(await loadNetwork(source)), name });
  const [first, ...others] = subjects;
  for (const other of others) {
    const odd = other.model.state.find(({ name, shape }) => {
      const same = first.model.state.find((entry) => entry.name === name);
      return same?.shape.join() !== shape.join();
    });
    if (odd || other.model.state.length !== first.model.state.length)
      throw new UserError(
        `${other.name} is ${other.model.name} and ${first.name} is ${first.model.name}, and ${odd ? `${odd.name} differs in shape` : 'one has more tensors'}: networks are compared that are of one architecture, width and number of classes.`,
      );
  }
  return subjects;
}

/** The images, in memory. */
async function loadImages(
  job: AnalyseJob,
  network: LoadedNetwork,
  limit: number,
): Promise<{ images: ImagesInMemory; report?: ImageSetReport }> {
  checkAnswers(network);
  const settings = asTrained({ ...defaultSettings(), ...job.settings }, network);
  const { images, report } = job.test
    ? await loadTestImages(job.test, { ...settings, limit }, network.classes)
    : await heldOut(job.train!, settings, network, limit);
  try {
    checkClasses(network, images);
    if (images.count * images.height * images.width * 3 > MOST_BYTES)
      throw new UserError(
        `${images.count} images of ${images.width} × ${images.height} pixels take more than ${MOST_BYTES / 2 ** 20} MB: analyse fewer.`,
      );
    return { images: await inMemory(images), report };
  } finally {
    await closeImages(images);
  }
}

/** Of the images that a run would test on at most so many, evenly of all classes: the others may have trained the network. */
async function heldOut(
  source: DataSource,
  settings: TrainSettings,
  { classes }: LoadedNetwork,
  limit: number,
): Promise<{ images: LabelledImages; report?: ImageSetReport }> {
  const { train, test, reports } = await loadRunImages({ train: source }, settings, {});
  await closeImages(train);
  const some = pick(test, selectBalanced(test.labels, limit, 0));
  return { images: classes ? ofClasses(some, classes) : some, report: reports[0] };
}

/** As the run has it where it says so, else as the network was made for. */
function normalisationOf({ settings }: AnalyseJob, { model: { input } }: Subject): Normalisation {
  const given = <T>(value: T | 'auto' | undefined, own: T): T =>
    value === undefined || value === 'auto' ? own : value;
  return { mean: given(settings?.mean, input.mean), std: given(settings?.std, input.std) };
}

async function inMemory(images: LabelledImages): Promise<ImagesInMemory> {
  const { pixels, count } = images;
  if (pixels instanceof Uint8Array) return { ...images, pixels };
  const all = new Uint8Array(pixels.bytes);
  await readImages(
    images,
    Uint32Array.from({ length: count }, (_, i) => i),
    all,
  );
  return { ...images, pixels: all };
}

/** Milliseconds between two reports. */
const INTERVAL = 200;

/** How far an analysis has come, and whether it is to go on. */
class Progress {
  private done = 0;
  private message = '';
  private told = 0;
  /** when the first passes had been made, which compile the programs, and how many they were */
  private first?: { at: number; done: number };

  constructor(
    private readonly total: number,
    private readonly control: Control,
    private readonly emit: (event: AnalysisEvent) => void,
  ) {}

  begin(message: string): void {
    this.check();
    this.message = message;
    this.tell(performance.now());
  }

  advance(images: number): void {
    this.check();
    this.done += images;
    const now = performance.now();
    if (now - this.told > INTERVAL) this.tell(now);
  }

  private check(): void {
    if (this.control.cancelled) throw new Stopped('The analysis was stopped.');
  }

  private tell(now: number): void {
    const { message, done, total } = this;
    this.told = now;
    if (!this.first && done > 0) this.first = { at: now, done };
    const { first } = this;
    const rate = first && done > first.done ? (now - first.at) / (done - first.done) : undefined;
    const share = total > 0 ? Math.min(1, done / total) : 1;
    const left = rate === undefined ? '' : `, ${Math.ceil((rate * Math.max(0, total - done)) / 1000)} s left`;
    const far = done > 0 ? `: ${(100 * share).toFixed(0)} %${left}` : '';
    this.emit({ type: 'phase', phase: 'analyse', message: `${message}${far}`, share });
  }
}
