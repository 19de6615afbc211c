/** The profile of one training step: its state as signals, and what starts and stops it. */
import { computed, signal } from '@preact/signals';
import type { ModelSource, Profile, ProfileProgress } from '../../api';
import { namedNetwork } from '../../run/network-options';
import { adapter, engine, explain } from '../engine';
import { gpuTaken, withGpu } from '../gpu-use';
import { readModel, trainFiles, weightsFiles } from '../input/sources';
import { config, readNetwork, readSettings } from '../settings/config';

export type ProfileState =
  | { state: 'none' }
  | { state: 'running'; progress: ProfileProgress; isStopping: boolean }
  | { state: 'ready'; profile: Profile }
  | { state: 'failed'; why: string };

export const profiling = signal<ProfileState>({ state: 'none' });

/** Why no profile can start now. */
export const profileObstacle = computed(() => {
  const others = {
    training: 'A training',
    trial: 'A test',
    search: 'A search for a learning rate',
    analysis: 'An analysis',
  };
  if (gpuTaken.value && gpuTaken.value !== 'profile')
    return `${others[gpuTaken.value]} is going on; a profile needs the GPU for itself. Wait for it, or stop it.`;
  return adapter.value.state === 'missing' ? 'A profile needs WebGPU, which is missing here.' : undefined;
});

/** Classes of a network of which no weights file has been chosen. */
const DEFAULT_CLASSES = 10;

/** The network of the form; a profile needs its shapes only, so its weights file may be missing. */
function profiledModel(): ModelSource {
  if (config.value.source === 'builtin' || weightsFiles.value.length > 0) return readModel();
  return { kind: 'random', network: namedNetwork({ classes: DEFAULT_CLASSES, ...readNetwork() }), seed: 0 };
}

export const profileStep = () => withGpu('profile', measure);

async function measure(): Promise<void> {
  profiling.value = { state: 'running', progress: { message: 'Starting', done: 0 }, isStopping: false };
  try {
    const hasImages = config.value.source === 'own' && trainFiles.value.length > 0;
    const target = {
      kind: 'run' as const,
      model: profiledModel(),
      train: hasImages ? { kind: 'files' as const, files: trainFiles.value } : undefined,
      settings: readSettings(),
    };
    const profile = await engine().profile(target, undefined, receive);
    profiling.value = { state: 'ready', profile };
  } catch (error) {
    profiling.value = { state: 'failed', why: explain(error) };
  }
}

function receive(progress: ProfileProgress): void {
  const current = profiling.value;
  if (current.state === 'running') profiling.value = { ...current, progress };
}

export async function stopProfile(): Promise<void> {
  const current = profiling.value;
  if (current.state !== 'running') return;
  profiling.value = { ...current, isStopping: true };
  // the profile itself tells of a failure
  await engine()
    .cancel()
    .catch(() => {});
}
