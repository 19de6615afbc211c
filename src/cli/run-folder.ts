/** The folder that a run leaves: config.json, metrics.jsonl, merged.safetensors and best.safetensors, report.json. */
import { constants, createWriteStream, rmSync, type WriteStream, writeFileSync } from 'node:fs';
import { access, mkdir, rename, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import type { TrainEvent } from '../api';
import { UserError } from '../errors';

const RESULTS = ['merged', 'best'].flatMap((name) => [`${name}.safetensors`, `${name}.unproven.safetensors`]);

export interface RunFolder {
  path: string;
  /** appends what metrics.jsonl keeps of an event: steps and evaluations */
  record(event: TrainEvent): void;
  writeJson(name: string, value: unknown): Promise<string>;
  writeBytes(name: string, bytes: Uint8Array): Promise<string>;
  close(): Promise<void>;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/**
 * Opens a run's folder, a new one below runs/ where none is named. Until the first step is recorded or a file written,
 * nothing in it changes: a run that its input ends leaves an earlier one's results alone, and no new folder.
 * @param config what config.json will hold
 * @throws UserError where it cannot be made or written
 */
export async function openRunFolder(
  out: string | undefined,
  method: string,
  config: unknown,
): Promise<RunFolder> {
  const stamp = new Date().toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');
  const path = out ?? join('runs', `${stamp}_${method}`);
  const made = await makeWritable(path);
  let metrics: WriteStream | undefined;
  const early: string[] = [];
  const begin = (): WriteStream => {
    if (metrics) return metrics;
    // Results of an earlier run must not pass for this one's.
    for (const name of [...RESULTS, 'report.json']) rmSync(join(path, name), { force: true });
    writeFileSync(join(path, 'config.json'), json(config));
    metrics = createWriteStream(join(path, 'metrics.jsonl'));
    for (const line of early) metrics.write(line);
    return metrics;
  };
  /** Whole or not at all: a reader never sees half a file. */
  const write = async (name: string, content: string | Uint8Array) => {
    begin();
    const target = join(path, name);
    await writeFile(`${target}.part`, content);
    await rename(`${target}.part`, target);
    return target;
  };
  return {
    path,
    record(event) {
      const lines = linesOf(event);
      if (event.type === 'steps') begin();
      for (const line of lines) metrics ? metrics.write(line) : early.push(line);
    },
    writeJson: (name, value) => write(name, json(value)),
    writeBytes: write,
    async close() {
      if (!metrics) return removeEmpty(path, made);
      metrics.end();
      await finished(metrics);
    },
  };
}

function linesOf(event: TrainEvent): string[] {
  const line = (value: unknown) => `${JSON.stringify(value)}\n`;
  if (event.type === 'steps') return event.points.map(line);
  return event.type === 'eval' ? [line({ eval: event.which, ...event.point })] : [];
}

/** Makes the folder; returns the topmost one that was not there before. */
async function makeWritable(path: string): Promise<string | undefined> {
  try {
    const made = await mkdir(path, { recursive: true });
    await access(path, constants.W_OK | constants.X_OK);
    return made;
  } catch (error) {
    throw new UserError(
      `${path} cannot be written (${(error as NodeJS.ErrnoException).code}); name another --out.`,
    );
  }
}

/** Takes away the folders that were made, if they are still empty. */
async function removeEmpty(path: string, made: string | undefined): Promise<void> {
  if (made === undefined) return;
  const top = resolve(made);
  for (let folder = resolve(path); folder.length >= top.length; folder = dirname(folder))
    await rmdir(folder).catch(() => {});
}
