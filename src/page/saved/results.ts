/** The results of a run: written when it ends, read again when it is shown. */
import type { TrainJob, TrainResult } from '../../api';
import { UserError } from '../../errors';
import { CHECKPOINT_FILES } from '../../run/checkpoint-file';
import type { OutputFile } from '../../run/job';
import type { Report } from '../../run/report';
import { type KeptRun, metricsLines, type NamedEval, RUN_FILES, readRun } from '../../run/run-files';
import type { Live, Told } from '../run/state';
import { entryOf, type RunEntry } from './entries';
import { readJob } from './inputs';
import { allFiles, readFile, removeFile } from './run-folder';
import { checkpointsOf, type Kept } from './store';

const LOG = 'log.json';

/** The merged network, and the best one. */
const MERGED = 'merged.safetensors';
const BEST = 'best.safetensors';

/** Indented JSON; numbers of a typed array as a list, bytes of a small picture as base 64. */
const lines = (value: unknown): string => {
  const plain = (_: string, one: unknown) => {
    if (one instanceof Uint8Array) return btoa(String.fromCharCode(...one));
    return one instanceof Float64Array ? [...one] : one;
  };
  return `${JSON.stringify(value, plain, 2)}\n`;
};

/** What a list needs of a report. */
const summaryOf = (report: Report): Report => ({ ...report, evaluation: {} });

/** The curves of a run as its file has them. */
const curvesText = ({ metrics, evals }: Pick<KeptRun, 'metrics' | 'evals'>): string => {
  const points = [
    ...metrics.map((point) => ({ at: point.step, text: `${JSON.stringify(point)}\n` })),
    ...evals.map((event) => ({ at: event.point.step, text: metricsLines({ type: 'eval', ...event })[0] })),
  ];
  return points
    .sort((a, b) => a.at - b.at)
    .map(({ text }) => text)
    .join('');
};

/** The settings and names of inputs, as the command line's config.json has them. */
export function configOf({ model, train, test, settings }: TrainJob): object {
  const names = (source: TrainJob['train']) =>
    source.kind === 'files'
      ? [...new Set(source.files.map(({ path }) => path.split('/')[0]))].slice(0, 20)
      : [source.set ?? 'builtin'];
  return {
    ...(model.kind === 'file' && { network: model.network, weights: model.files[0]?.path }),
    ...(model.kind === 'random' && { network: model.network }),
    data: names(train),
    ...(test && { test: names(test) }),
    settings,
  };
}

/** Writes what a run came to; the report last: a run that has one has all of its results. */
export async function keepResult(
  kept: Pick<Kept, 'id' | 'write' | 'note'>,
  job: TrainJob,
  result: TrainResult,
  { evals, ...told }: Told & { evals: readonly NamedEval[] },
): Promise<void> {
  await kept.write(RUN_FILES.config, lines(configOf(job)));
  await kept.write(LOG, lines(told));
  await kept.write(RUN_FILES.metrics, curvesText({ metrics: result.metrics, evals: [...evals] }));
  await kept.write(MERGED, result.merged);
  await kept.write(BEST, result.best);
  for (const { name, bytes } of result.files) await kept.write(name, bytes);
  await kept.write(RUN_FILES.report, lines(result.report));
  const { ended, seed } = result.report;
  // a run that is over does not go on
  if (ended === 'finished' || ended === 'early')
    for (const name of CHECKPOINT_FILES) await removeFile(kept.id, name);
  await kept.note({ state: ended, report: summaryOf(result.report), error: undefined, seed });
}

/** Writes what there is of a run that an error ended. */
export async function keepBroken(
  kept: Pick<Kept, 'id' | 'write' | 'note'>,
  job: TrainJob,
  {
    curves,
    told,
    error,
    epoch,
  }: { curves: Pick<KeptRun, 'metrics' | 'evals'>; told: Told; error: string; epoch: number },
): Promise<void> {
  await kept.write(RUN_FILES.config, lines(configOf(job)));
  await kept.write(LOG, lines(told));
  await kept.write(RUN_FILES.metrics, curvesText(curves));
  await kept.note({ state: 'broken', error, epoch });
}

/** A run as it was read from its files. */
export interface OpenedRun extends KeptRun, Told {
  entry: RunEntry;
  /** absent where its network and images are not here */
  job?: TrainJob;
  /** absent where the run has not come to an end */
  result?: TrainResult;
}

/** What is known of a run without its weights: enough for curves, tables and reports. */
export async function readKept(id: string): Promise<KeptRun> {
  const kept = await readRun((name) => readFile(id, name));
  return kept.metrics.length > 0 ? kept : { ...kept, ...(await curvesOfCheckpoint(id)) };
}

/** The curves of a run that was cut off, out of its newest checkpoint. */
async function curvesOfCheckpoint(id: string): Promise<Pick<KeptRun, 'metrics' | 'evals'>> {
  const files = await checkpointsOf(id);
  if (files.length === 0) return { metrics: [], evals: [] };
  const { newestCheckpoint } = await import('../../run/resume');
  try {
    const { state } = await newestCheckpoint(files, () => {});
    return { metrics: state.points, evals: state.evals.map((point) => ({ which: 'epoch', point })) };
  } catch {
    return { metrics: [], evals: [] };
  }
}

/**
 * Reads a run with everything that the page shows of it.
 * @throws UserError that names the file that is not what it should be
 */
export async function openRun(id: string): Promise<OpenedRun> {
  const entry = entryOf(id);
  if (!entry) throw new UserError('That run is not in the browser’s storage any more.');
  const kept = await readKept(id);
  const told = await readTold(id);
  const job = await readJob(id, entry.inputs);
  if (!kept.report) return { entry, job, ...kept, ...told };
  const bytes = async (name: string) => {
    const blob = await readFile(id, name);
    return blob && new Uint8Array(await blob.arrayBuffer());
  };
  const network = async (name: string) => (await bytes(name)) ?? bytes(name.replace('.', '.unproven.'));
  const merged = (await network(MERGED)) ?? new Uint8Array(0);
  const known = new Set<string>([
    ...[
      MERGED,
      BEST,
      'merged.unproven.safetensors',
      'best.unproven.safetensors',
      LOG,
      'job.json',
      'inputs.bin',
      'metrics.csv',
      'report.html',
      'skipped.csv',
    ],
    ...Object.values(RUN_FILES),
    ...CHECKPOINT_FILES,
  ]);
  const files: OutputFile[] = [];
  for (const { name } of await allFiles(id))
    if (!known.has(name)) files.push({ name, bytes: (await bytes(name))! });
  const result: TrainResult = {
    report: kept.report,
    merged,
    best: (await network(BEST)) ?? merged,
    files,
    predictions: kept.predictions,
    metrics: kept.metrics,
    evals: kept.evals.filter(({ which }) => which === 'epoch').map(({ point }) => point),
  };
  return { entry, job, ...kept, ...told, result };
}

/** The spectra are arrays of numbers again. */
function courseOf(course: Told['course']): Told['course'] {
  if (!course) return undefined;
  const grams = course.grams.map(([name, gram]): (typeof course.grams)[number] => [
    name,
    {
      ...gram,
      eigenvalues: Float64Array.from(gram.eigenvalues),
      eigenkernels: gram.eigenkernels && Float64Array.from(gram.eigenkernels),
    },
  ]);
  return { ...course, grams };
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

/** What a run told, out of its log; of one that is not ours, its sentences alone. */
/** What was not measured is null in JSON. */
const timesOf = (times: (number | null)[] | undefined): number[] | undefined =>
  times?.map((ms) => ms ?? Number.NaN);

/** The pictures are bytes again. */
function liveOf(live: (Omit<Live, 'images'> & { images: WrittenImage[] }) | undefined): Live | undefined {
  if (!live) return undefined;
  const images = live.images.map((image) => ({
    ...image,
    pixels: Uint8Array.from(atob(image.pixels), (byte) => byte.charCodeAt(0)),
  }));
  return { ...live, images };
}

type WrittenImage = Omit<Live['images'][number], 'pixels'> & { pixels: string };

async function readTold(id: string): Promise<Told> {
  const file = await readFile(id, LOG);
  const none = { notes: [], warnings: [], imageReports: [] };
  if (!file) return none;
  try {
    const { notes, warnings, plan, imageReports, course, stepTimes, live } = JSON.parse(await file.text());
    const isImported = entryOf(id)?.inputs === undefined && (await readFile(id, 'job.json')) === undefined;
    return {
      ...{ notes: strings(notes), warnings: strings(warnings) },
      // what has a form of its own is believed where this browser wrote it
      ...(isImported
        ? { imageReports: [] }
        : {
            ...{ plan, course: courseOf(course), imageReports: imageReports ?? [] },
            ...{ stepTimes: timesOf(stepTimes), live: liveOf(live) },
          }),
    };
  } catch {
    return none;
  }
}
