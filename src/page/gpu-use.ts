/** The GPU is one job's at a time: a training, a search for a learning rate, a profile and an analysis each need it for themselves. */
import { computed, signal } from '@preact/signals';
import { adapter } from './engine';

export type GpuUse = 'training' | 'trial' | 'search' | 'profile' | 'analysis';

/** what has the GPU now */
export const gpuUse = signal<GpuUse | undefined>(undefined);

/** Trainings that are made one after the other, as those of an experiment: between two of them the GPU is theirs, too. */
export interface Series {
  /** the run that goes on, or comes next, from 1 */
  at: number;
  of: number;
  /** what it is */
  words: string;
  /** it has begun, and may be over */
  isBegun?: boolean;
}

export const series = signal<Series | undefined>(undefined);

/** what the GPU is taken for: between two trainings of a series, for the next one */
export const gpuTaken = computed(() => gpuUse.value ?? (series.value && 'training'));

/** Whether a job that needs the GPU for itself can begin. */
export const isGpuFree = computed(() => !gpuTaken.value && adapter.value.state !== 'missing');

/** Does a job with the GPU for itself; where another one has it already, nothing happens. */
export async function withGpu(use: GpuUse, job: () => Promise<void>): Promise<void> {
  // at once: a second click comes before the first one's files are open
  if (gpuUse.value || (series.value && use !== 'training')) return;
  gpuUse.value = use;
  try {
    await job();
  } finally {
    gpuUse.value = undefined;
  }
}
