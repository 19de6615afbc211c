/**
 * The folder that a run leaves: config.json, metrics.jsonl, merged.safetensors and best.safetensors (or .pth), labels.txt,
 * check.py and check.safetensors, predictions (of the base too), redundancy.safetensors, report.json and report.html, skipped.csv;
 * checkpoint.0 and checkpoint.1.safetensors.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { TrainEvent } from '../api';
import { UserError } from '../errors';
import { CHECKPOINT_FILES } from '../run/checkpoint-file';
import { PICTURES_FILE } from '../run/pictures';
import { metricsLines, PREDICTION_FILES, REDUNDANCY_FILE, REPORT_PAGE } from '../run/run-files';
import { CheckpointFiles } from './checkpoint-files';
import { lockFolder } from './folder-lock';
import { makeFolders, reasonOf } from './make-folders';

const RESULTS = [
  ...['merged', 'best'].flatMap((name) => [
    `${name}.safetensors`,
    `${name}.pth`,
    `${name}.onnx`,
    `${name}.unproven.safetensors`,
  ]),
  'unmerged.safetensors',
  'unmerged.pth',
  'labels.txt',
  'check.safetensors',
  'check.py',
  ...Object.values(PREDICTION_FILES),
  REDUNDANCY_FILE,
  PICTURES_FILE,
  REPORT_PAGE,
];

export interface RunFolder {
  path: string;
  /** what metrics.jsonl keeps of an event, steps and evaluations; a checkpoint as its file */
  record(event: TrainEvent): void;
  checkpoints: CheckpointFiles;
  writeJson(name: string, value: unknown): Promise<string>;
  writeText(name: string, text: string): Promise<string>;
  /** writes a result; where the folder takes it no more, into the system's temporary folder, and says so */
  writeBytes(name: string, bytes: Uint8Array): Promise<string>;
  close(): Promise<void>;
}

/**
 * The network of a run's last step by its folder; undefined where there is none. An ONNX file comes first: a run that has one
 * began with a network that only such a file describes, and of which its other weights are numbers without layers.
 */
export const trainedNetworkIn = (folder: string): string | undefined =>
  ['merged.onnx', 'merged.safetensors', 'merged.pth']
    .map((name) => join(folder, name))
    .find((file) => existsSync(file));

export interface RunFolderOptions {
  /** the folder; default: a new one below runs/ */
  out?: string;
  /** take a folder that has something in it; else a fresh name beside it is taken */
  overwrite: boolean;
  /** the folder's run goes on: its checkpoints stay */
  resumes?: boolean;
  /** the end of a new folder's name */
  method: string;
  /** what config.json will hold */
  config: unknown;
  /** one line for the user */
  note: (line: string) => void;
}

/** Indented JSON, but a list of numbers on one line: a confusion matrix is then a line a class. */
const json = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replace(/\[\n\s+(-?\d[^"[\]{}]*?)\n\s+\]/g, (_, numbers: string) => `[${numbers.replace(/\n\s+/g, ' ')}]`)}\n`;

/**
 * Opens a run's folder. An empty one has config.json at once, so that a run that is killed while its images are read can be
 * begun again by its folder. Else nothing in it changes until the first step is recorded or a file written: a run that its
 * input ends leaves an earlier one's results alone, and no new folder.
 * @throws UserError where it cannot be made or written, or is another process'
 */
export async function openRunFolder(options: RunFolderOptions): Promise<RunFolder> {
  const { config, note, resumes = false } = options;
  const path = await choosePath(options);
  const made = await makeWritable(path);
  const wasEmpty = await isFree(path);
  const release = lockFolder(path);
  const metrics = join(path, 'metrics.jsonl');
  const checkpoints = new CheckpointFiles(path, (step, error) =>
    note(`warning: the checkpoint of step ${step} could not be written (${reasonOf(error)})`),
  );
  const configFile = join(path, 'config.json');
  const writeConfig = (): void => {
    writeFileSync(`${configFile}.part`, json(config));
    renameSync(`${configFile}.part`, configFile);
  };
  let begun = false;
  let refuge: string | undefined;
  let early: string[] = [];
  const attempt = (what: string, action: () => void): void => {
    try {
      action();
    } catch (error) {
      note(`warning: ${what} (${reasonOf(error)})`);
    }
  };
  let isLogging = true;
  const log = (lines: string[]): void => {
    if (!isLogging) return;
    isLogging = false;
    attempt('metrics.jsonl ends early', () => {
      appendFileSync(metrics, lines.join(''));
      isLogging = true;
    });
  };
  const begin = (): void => {
    if (begun) return;
    begun = true;
    attempt(`${path} could not be made ready`, () => {
      // results of an earlier run must not pass for this one's
      const earlier = [...RESULTS, 'report.json', 'skipped.csv', 'metrics.jsonl'];
      for (const name of resumes ? earlier : [...earlier, ...CHECKPOINT_FILES])
        rmSync(join(path, name), { force: true });
      writeConfig();
    });
    log(early);
  };
  if (wasEmpty) attempt(`${path} could not be made ready`, writeConfig);
  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    begin();
    try {
      return await writeWhole(path, name, content);
    } catch (error) {
      // a full disk or a folder that is gone must not take hours of training with it
      try {
        refuge ??= await mkdtemp(join(tmpdir(), `${basename(resolve(path))}-`));
        const saved = await writeWhole(refuge, name, content);
        note(
          `warning: ${join(path, name)} could not be written (${reasonOf(error)}); it is in ${saved} instead.`,
        );
        return saved;
      } catch (again) {
        throw new UserError(
          `${join(path, name)} could not be written (${reasonOf(error)}), nor could ${refuge ?? tmpdir()} (${reasonOf(again)}): free some space and train again.`,
        );
      }
    }
  };
  return {
    path,
    checkpoints,
    record(event) {
      if (event.type === 'steps' || event.type === 'resumed') begin();
      if (event.type === 'checkpoint') return checkpoints.add(event);
      if (event.type === 'resumed') {
        checkpoints.newest ??= event.file;
        attempt('metrics.jsonl has steps twice', () => writeFileSync(metrics, early.join('')));
      }
      const lines = metricsLines(event);
      // measured behind the first step of a process, and step 0 of the run all the same: so the file of one that went on is no other
      if (begun && event.type === 'eval' && event.which === 'base')
        attempt('metrics.jsonl has the base behind the first steps', () =>
          writeFileSync(metrics, [...lines, readFileSync(metrics, 'utf8')].join('')),
        );
      else if (begun) log(lines);
      else early = [...early, ...lines];
    },
    writeJson: (name, value) => write(name, json(value)),
    writeText: write,
    writeBytes: write,
    async close() {
      if (!begun) {
        if (wasEmpty) await rm(configFile, { force: true });
        release();
        return removeEmpty(path, made);
      }
      await checkpoints.settle();
      release();
    },
  };
}

/** Whole or not at all: a reader never sees half a file, and a failed write leaves none. */
async function writeWhole(folder: string, name: string, content: string | Uint8Array): Promise<string> {
  const target = join(folder, name);
  const part = `${target}.part`;
  try {
    await writeFile(part, content);
    await rename(part, target);
    return target;
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    throw error;
  }
}

/** What was asked for, or the first `NAME-2`, `NAME-3`, ... that is free. */
async function choosePath({ out, overwrite, method, note }: RunFolderOptions): Promise<string> {
  const stamp = new Date().toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');
  const wanted = out ?? join('runs', `${stamp}_${method}`);
  if (overwrite || (await isFree(wanted))) return wanted;
  for (let n = 2; ; n++) {
    const path = `${wanted.replace(/[\\/]+$/, '')}-${n}`;
    if (!(await isFree(path))) continue;
    if (out !== undefined)
      note(`${wanted} holds something already: results go to ${path} (--overwrite takes it).`);
    return path;
  }
}

/** Whether a folder of that name is empty or does not exist; what is no folder is for `makeWritable` to refuse. */
async function isFree(path: string): Promise<boolean> {
  if (!existsSync(path)) return true;
  return readdir(path).then(
    (names) => names.length === 0,
    () => true,
  );
}

/** Makes the folder and tries it with a file; returns the topmost folder that was not there before. */
async function makeWritable(path: string): Promise<string | undefined> {
  let made: string | undefined;
  try {
    made = await makeFolders(resolve(path));
    const probe = join(path, '.refocus-probe');
    await writeFile(probe, 'x');
    await rm(probe);
    return made;
  } catch (error) {
    await removeEmpty(path, made);
    throw new UserError(`${path} cannot be written (${reasonOf(error)}); name another --out.`);
  }
}

/** Takes away the folders that were made, if they are still empty. */
async function removeEmpty(path: string, made: string | undefined): Promise<void> {
  if (made === undefined) return;
  const top = resolve(made);
  for (let folder = resolve(path); folder.length >= top.length; folder = dirname(folder))
    await rmdir(folder).catch(() => {});
}
