/** The GPU is one job's at a time: a training, a search for a learning rate, a profile and an analysis each need it for themselves. */
import { computed, signal } from '@preact/signals';
import { adapter } from './engine';

export type GpuUse = 'training' | 'trial' | 'search' | 'profile' | 'analysis';

/** what has the GPU now */
export const gpuUse = signal<GpuUse | undefined>(undefined);

/** Whether a job that needs the GPU for itself can begin. */
export const isGpuFree = computed(() => gpuUse.value === undefined && adapter.value.state !== 'missing');

/** Does a job with the GPU for itself; where another one has it already, nothing happens. */
export async function withGpu(use: GpuUse, job: () => Promise<void>): Promise<void> {
  // at once: a second click comes before the first one's files are open
  if (gpuUse.value) return;
  gpuUse.value = use;
  try {
    await job();
  } finally {
    gpuUse.value = undefined;
  }
}
