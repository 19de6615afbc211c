/** Runs that leave as one file, and come back. */
import type { TrainJob, UserFile } from '../../api';
import { type BuiltinSet, isBuiltinSet } from '../../data/builtin/builtin';
import { UserError } from '../../errors';
import { reportHtml } from '../../report/report';
import { BUNDLE_FILES } from '../../run/bundle-folder';
import { CHECKPOINT_FILES, newestLabel } from '../../run/checkpoint-file';
import { type KeptRun, REPORT_PAGE, RUN_FILES, readRun } from '../../run/run-files';
import { parseSettings, type TrainSettings } from '../../train/settings';
import { metricsCsv } from '../results/metrics-csv';
import { changeEntry, entryOf, newEntry, putEntry, type RunEntry } from './entries';
import { readJob } from './inputs';
import type { NamedPart } from './keeper';
import { configOf, readKept } from './results';
import { allFiles, pack, unpack, writeFile } from './run-folder';

const JOB = 'job.json';

/** A name fit for a file. */
export const fileName = (name: string): string =>
  name
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 80) || 'run';

/** A run's report, one HTML file. */
export async function reportOf(id: string): Promise<Blob> {
  const name = entryOf(id)?.name ?? '';
  return new Blob([reportHtml([{ name, ...(await readKept(id)) }])]);
}

/** Files that a bundle does not have as they are: the inputs, and what is made for it. */
const LEFT_OUT: readonly string[] = [JOB, 'inputs.bin', REPORT_PAGE, 'metrics.csv'];

/** A run's files as one zip archive, a checkpoint too where it can go on. Its network and images are not in it. */
export async function exportRun(id: string): Promise<{ name: string; blob: Blob }> {
  const entry = entryOf(id);
  if (!entry) throw new UserError('That run is not in the browser’s storage any more.');
  const { state, report } = entry;
  const isCheckpoint = (name: string) => (CHECKPOINT_FILES as readonly string[]).includes(name);
  const isOver = state === 'finished' || state === 'early';
  const files = (await allFiles(id))
    .filter(({ name }) => !LEFT_OUT.includes(name) && !(isOver && isCheckpoint(name)))
    // what is not proven says so in its name, as the command line's does
    .map(({ name, blob }) => ({
      name:
        report?.proof.ok === false
          ? name.replace(/^(merged|best)\.(?=safetensors|pth|onnx)/, '$1.unproven.')
          : name,
      blob,
    }));
  const add = (name: string, text: string) => files.push({ name, blob: new Blob([text]) });
  const job = await readJob(id, entry.inputs);
  if (job && !files.some(({ name }) => name === RUN_FILES.config))
    add(RUN_FILES.config, JSON.stringify(configOf(job), null, 2));
  const kept = await readKept(id);
  const epochs = kept.evals.filter(({ which }) => which === 'epoch').map(({ point }) => point);
  add('metrics.csv', metricsCsv({ metrics: kept.metrics, evals: epochs }));
  add(REPORT_PAGE, reportHtml([{ name: entry.name, ...kept }]));
  return { name: `${fileName(entry.name)}.zip`, blob: await pack(files) };
}

/**
 * Takes a bundle in: the run is listed, and can be shown as what it was.
 * @returns its entry
 * @throws UserError where the file is no bundle, or one of its files is not what it should be
 */
export const importRun = async ({ path, blob }: UserFile): Promise<RunEntry> =>
  takeIn(path, await unpack(path, blob));

/**
 * The same of a folder of the command line.
 * @param path the folder's, which ends in `/`
 */
export const importFolder = (path: string, files: readonly UserFile[]): Promise<RunEntry> =>
  takeIn(
    path.slice(0, -1),
    files
      .map((file) => ({ name: file.path.slice(path.length), blob: file.blob }))
      .filter(({ name }) => BUNDLE_FILES.includes(name)),
  );

async function takeIn(path: string, files: readonly NamedPart[]): Promise<RunEntry> {
  const open = async (name: string) => files.find((file) => file.name === name)?.blob;
  const kept = await readRun(open).catch((error) => {
    throw error instanceof UserError ? new UserError(`${path}: ${error.message}`) : error;
  });
  const job = await jobOf(open);
  const checkpoints = CHECKPOINT_FILES.flatMap((name) => files.filter((file) => file.name === name));
  const label = await newestLabel(checkpoints.map((file) => ({ path: file.name, blob: file.blob })));
  if (!kept.report && !label && kept.metrics.length === 0)
    throw new UserError(`${path} holds no run that has come to a step.`);
  const id = crypto.randomUUID();
  const entry = entryOfBundle(id, path, { kept, settings: job?.settings, label });
  await putEntry(entry);
  const why: (string | undefined)[] = [];
  // the storage has the names of every run; that a network is not proven its report says
  for (const { name, blob: content } of files)
    if (name !== JOB) why.push(await writeFile(id, name.replace('.unproven.', '.'), [content]));
  if (job) why.push(await writeFile(id, JOB, [new Blob([JSON.stringify(job)])]));
  if (why.some((one) => one !== undefined)) await changeEntry(id, { isVolatile: true });
  return entry;
}

interface BundleParts {
  kept: KeptRun;
  settings?: TrainSettings;
  label?: { date: string; epoch: number; epochs: number };
}

function entryOfBundle(id: string, path: string, { kept, settings, label }: BundleParts): RunEntry {
  const { report } = kept;
  const name = path
    .split('/')
    .at(-1)!
    .replace(/\.zip$/i, '');
  const last = kept.metrics.at(-1);
  return newEntry({
    id,
    name: name.slice(0, 200) || 'a run',
    date: report?.date ?? label?.date ?? new Date().toISOString(),
    state: report?.ended ?? 'unfinished',
    method: report?.settings.method ?? settings?.method ?? '',
    seed: report?.seed ?? settings?.seed ?? 0,
    epochs: report?.settings.epochs ?? settings?.epochs ?? label?.epochs ?? 0,
    epoch: label?.epoch ?? last?.epoch ?? 0,
    report: report && { ...report, evaluation: {} },
    isImported: true,
  });
}

/** What a bundle says of its run: the settings, and network and images where they are the built-in ones. */
async function jobOf(
  open: (name: string) => Promise<Blob | undefined>,
): Promise<({ settings: TrainSettings } & Partial<TrainJob>) | undefined> {
  const config = await objectOf(await open(RUN_FILES.config));
  const given = config?.settings;
  let settings: TrainSettings;
  try {
    settings = parseSettings(given ?? {});
  } catch {
    // of another version: it can be shown, and not go on
    return undefined;
  }
  if (!given) return undefined;
  // of files only the names are there
  const set = builtinSetOf(config?.data);
  const isBuiltin = config?.weights === undefined && config?.network === undefined && set !== undefined;
  if (!isBuiltin) return { settings };
  return {
    settings,
    model: { kind: 'builtin' },
    train: { kind: 'builtin', split: 'train', set },
    test: { kind: 'builtin', split: 'test', set },
  };
}

function builtinSetOf(data: unknown): BuiltinSet | undefined {
  const [name] = Array.isArray(data) && data.length === 1 ? data : [];
  return typeof name === 'string' && isBuiltinSet(name) ? name : undefined;
}

/** Bytes of a description at most. */
const MOST = 2 ** 22;

async function objectOf(file: Blob | undefined): Promise<Record<string, unknown> | undefined> {
  if (!file || file.size > MOST) return undefined;
  try {
    const value: unknown = JSON.parse(await file.text());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
