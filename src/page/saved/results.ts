/** The results of a run: written when it ends, read again when it is shown. */
import type { TrainJob, TrainResult } from '../../api';
import { type Remedy, UserError } from '../../errors';
import { CHECKPOINT_FILES } from '../../run/checkpoint-file';
import type { OutputFile } from '../../run/job';
import type { Report } from '../../run/report';
import { type KeptRun, metricsLines, type NamedEval, RUN_FILES, readRun } from '../../run/run-files';
import type { Told } from '../run/state';
import { entryOf, type RunEntry } from './entries';
import { readJob } from './inputs';
import { allFiles, readFile, removeFile } from './run-folder';
import { checkpointsOf, type Kept } from './store';
import { LOG, readTold } from './told';

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

/** Steps that are written out at once: what a click waits for meanwhile comes between. */
const AT_ONCE = 5000;

/** The curves of a run as its file has them, each evaluation behind its step. */
async function curvesFile({ metrics, evals }: Pick<KeptRun, 'metrics' | 'evals'>): Promise<Blob> {
  const sorted = [...evals].sort((a, b) => a.point.step - b.point.step);
  const parts: string[] = [];
  let e = 0;
  const addEvals = (before: number) => {
    while (e < sorted.length && sorted[e].point.step < before)
      parts.push(metricsLines({ type: 'eval', ...sorted[e++] })[0]);
  };
  for (const [i, point] of metrics.entries()) {
    addEvals(point.step);
    parts.push(`${JSON.stringify(point)}\n`);
    if (i % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setTimeout(resolve));
  }
  addEvals(Infinity);
  return new Blob(parts);
}

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
  await kept.write(RUN_FILES.metrics, await curvesFile({ metrics: result.metrics, evals: [...evals] }));
  await kept.write(MERGED, result.merged);
  await kept.write(BEST, result.best);
  for (const { name, bytes } of result.files) await kept.write(name, bytes);
  await kept.write(RUN_FILES.report, lines(result.report));
  const { ended, seed } = result.report;
  // a run that is over does not go on
  if (ended === 'finished' || ended === 'early')
    for (const name of CHECKPOINT_FILES) await removeFile(kept.id, name);
  const report = summaryOf(result.report);
  await kept.note({ state: ended, report, error: undefined, seed, isImported: undefined });
}

/** Writes what there is of a run that an error ended. */
export async function keepBroken(
  kept: Pick<Kept, 'id' | 'write' | 'note'>,
  job: TrainJob,
  {
    curves,
    told,
    error,
    remedy,
    epoch,
  }: {
    curves: Pick<KeptRun, 'metrics' | 'evals'>;
    told: Told;
    error: string;
    remedy?: Remedy;
    epoch: number;
  },
): Promise<void> {
  await kept.write(RUN_FILES.config, lines(configOf(job)));
  await kept.write(LOG, lines(told));
  await kept.write(RUN_FILES.metrics, await curvesFile(curves));
  await kept.note({ state: 'broken', error, remedy, epoch });
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
  if (entry.report && !kept.report)
    throw new UserError(
      `The files of ${entry.name} are not in the browser’s storage any more: it was cleared, by the browser or by hand. What the list says of the run is what is left; ask the browser not to clear it below the list.`,
    );
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
