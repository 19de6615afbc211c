import { sha256 } from '../io/sha256';
import type { RunSettings } from '../train/settings';
import type { DataSource } from './data-source';
import type { FittedNetwork } from './head';
import type { OutputFile, TrainJob } from './job';
import type { RunRecord } from './report';
import { VERSION } from './version';

/** @param outputs every file of weights and what stands beside it */
export async function runRecord(
  job: TrainJob,
  { file, model, classes, original, newHead }: FittedNetwork,
  settings: RunSettings,
  outputs: readonly OutputFile[],
): Promise<Omit<RunRecord, 'date'>> {
  const inputs = 'files' in job.model && job.model.files ? job.model.files : [];
  return {
    version: VERSION,
    settings,
    seed: settings.seed,
    classes,
    network: {
      source: file,
      architecture: model.name,
      args: model.args,
      publisher: original.publisher,
      newHead,
    },
    sources: { train: namesOf(job.train), ...(job.test && { test: namesOf(job.test) }) },
    sha256: {
      in: await sums(inputs.map(({ path, blob }) => [path, () => blob.arrayBuffer()])),
      out: await sums(outputs.map(({ name, bytes }) => [name, async () => bytes])),
    },
  };
}

/** The topmost names of a source: archives, folders, files alone. */
export const namesOf = (source: DataSource): string[] =>
  source.kind === 'builtin'
    ? [source.set ?? 'builtin']
    : [...new Set(source.files.map(({ path }) => path.split('/')[0]))].slice(0, MOST_NAMES);

const MOST_NAMES = 20;

/** One file after the other: weights are large. A file that is gone meanwhile has no sum. */
async function sums(
  files: readonly (readonly [name: string, read: () => Promise<BufferSource>])[],
): Promise<Record<string, string>> {
  const found: [string, string][] = [];
  for (const [name, read] of files) {
    const bytes = await read().catch(() => undefined);
    if (bytes) found.push([name, await sha256(bytes)]);
  }
  return Object.fromEntries(found);
}
