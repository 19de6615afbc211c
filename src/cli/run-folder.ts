/** The folder that a run leaves: config.json, metrics.jsonl, merged.safetensors and best.safetensors, report.json. */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { UserError } from '../errors';
import type { TrainEvent } from '../worker/api';

export interface RunFolder {
  path: string;
  /** appends what metrics.jsonl keeps of an event: steps and evaluations */
  record(event: TrainEvent): void;
  writeJson(name: string, value: unknown): Promise<string>;
  writeBytes(name: string, bytes: Uint8Array): Promise<string>;
  close(): Promise<void>;
}

/**
 * Opens a run's folder, a new one below runs/ where none is named.
 * @throws UserError where it cannot be made or written
 */
export async function openRunFolder(out: string | undefined, method: string): Promise<RunFolder> {
  const stamp = new Date().toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');
  const path = out ?? join('runs', `${stamp}_${method}`);
  try {
    await mkdir(path, { recursive: true });
    // Results of an earlier run must not pass for this one's.
    const weights = ['merged', 'best'].flatMap((name) => [
      `${name}.safetensors`,
      `${name}.unproven.safetensors`,
    ]);
    for (const name of [...weights, 'report.json']) await rm(join(path, name), { force: true });
    await writeFile(join(path, 'metrics.jsonl'), '');
  } catch (error) {
    throw new UserError(
      `${path} cannot be written (${(error as NodeJS.ErrnoException).code}); name another --out.`,
    );
  }
  const metrics = createWriteStream(join(path, 'metrics.jsonl'));
  const line = (value: unknown) => metrics.write(`${JSON.stringify(value)}\n`);
  /** Whole or not at all: a reader never sees half a file. */
  const write = async (name: string, content: string | Uint8Array) => {
    const target = join(path, name);
    await writeFile(`${target}.part`, content);
    await rename(`${target}.part`, target);
    return target;
  };
  return {
    path,
    record(event) {
      if (event.type === 'steps') for (const point of event.points) line(point);
      if (event.type === 'eval') line({ eval: event.which, ...event.point });
    },
    writeJson: (name, value) => write(name, `${JSON.stringify(value, null, 2)}\n`),
    writeBytes: write,
    async close() {
      metrics.end();
      await finished(metrics);
    },
  };
}
