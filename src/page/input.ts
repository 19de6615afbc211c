/** Step 1's state: the files that the user chose, and what is in the checkpoint. */
import { computed, effect, signal, untracked } from '@preact/signals';
import { UserError } from '../errors';
import type { DataSource, InspectLayer, ModelSource, UserFile } from '../worker/api';
import { config, readNetwork } from './config';
import { engine, explain } from './engine';

export const checkpoint = signal<UserFile | undefined>(undefined);
export const trainFiles = signal<UserFile[]>([]);
export const testFiles = signal<UserFile[]>([]);

export type Inspection =
  | { state: 'none' }
  | { state: 'reading' }
  | { state: 'ready'; layers: InspectLayer[] }
  | { state: 'failed'; why: string };

export const inspection = signal<Inspection>({ state: 'none' });

/** @throws UserError that says what is still to choose */
export function readModel(): ModelSource {
  if (config.value.source === 'builtin') return { kind: 'builtin' };
  if (!checkpoint.value) throw new UserError('Choose a checkpoint of your network in step 1.');
  return { kind: 'file', arch: readNetwork(), file: checkpoint.value };
}

/** @throws UserError that says what is still to choose */
export function readData(): { train: DataSource; test?: DataSource } {
  if (config.value.source === 'builtin') {
    return { train: { kind: 'builtin', split: 'train' }, test: { kind: 'builtin', split: 'test' } };
  }
  if (trainFiles.value.length === 0) throw new UserError('Choose your training images in step 1.');
  const train: DataSource = { kind: 'files', files: trainFiles.value };
  if (testFiles.value.length === 0) return { train };
  return { train, test: { kind: 'files', files: testFiles.value } };
}

let asked = 0;

/** Inspects the checkpoint whenever it or the network's options change; only the newest answer counts. */
export function followCheckpoint(): void {
  const network = computed(() => config.value.network);
  effect(() => {
    const file = checkpoint.value;
    const question = ++asked;
    inspection.value = { state: file && network.value ? 'reading' : 'none' };
    if (!file) return;
    untracked(() => inspect(file)).then((answer) => {
      if (question === asked) inspection.value = answer;
    });
  });
}

async function inspect(file: UserFile): Promise<Inspection> {
  try {
    return { state: 'ready', layers: await engine().inspect(file, readNetwork()) };
  } catch (error) {
    return { state: 'failed', why: explain(error) };
  }
}
