/** Step 1's state: the files that the user chose, and what is in the network. */
import { computed, effect, signal, untracked } from '@preact/signals';
import type { DataSource, ModelSource, NetworkPreview, UserFile } from '../../api';
import { UserError } from '../../errors';
import { engine, explain } from '../engine';
import { config, readNetwork } from '../settings/config';

export const weightsFile = signal<UserFile | undefined>(undefined);
export const trainFiles = signal<UserFile[]>([]);
export const testFiles = signal<UserFile[]>([]);

export type Preview =
  | { state: 'none' }
  | { state: 'reading' }
  | ({ state: 'ready' } & NetworkPreview)
  | { state: 'failed'; why: string };

export const preview = signal<Preview>({ state: 'none' });

/** @throws UserError that says what is still to choose */
export function readModel(): ModelSource {
  if (config.value.source === 'builtin') return { kind: 'builtin' };
  if (!weightsFile.value) throw new UserError('Choose a weights file of your network in step 1.');
  return { kind: 'file', network: readNetwork(), files: [weightsFile.value] };
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

/** Looks into the network whenever it or its options change; only the newest answer counts. */
export function followNetwork(): void {
  const source = computed(() => config.value.source);
  const network = computed(() => config.value.network);
  effect(() => {
    const question = ++asked;
    const isThere = source.value === 'builtin' || (weightsFile.value && network.value);
    preview.value = { state: isThere ? 'reading' : 'none' };
    if (!isThere) return;
    untracked(look).then((answer) => {
      if (question === asked) preview.value = answer;
    });
  });
}

async function look(): Promise<Preview> {
  try {
    return { state: 'ready', ...(await engine().preview(readModel())) };
  } catch (error) {
    return { state: 'failed', why: explain(error) };
  }
}
