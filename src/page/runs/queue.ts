/** Runs one after the other: the other seeds of two methods. */
import { signal } from '@preact/signals';
import type { Method, TrainJob } from '../../api';
import { runBeside } from '../run/run';

export interface Queue {
  /** the run that goes on, from 1 */
  at: number;
  of: number;
  words: string;
}

/** absent: there is no queue */
export const queue = signal<Queue | undefined>(undefined);

export interface Planned {
  method: Method;
  seed: number;
}

/** Does these runs in turn; one that is stopped or fails ends the queue. */
export async function runAll(job: TrainJob, planned: readonly Planned[]): Promise<void> {
  if (queue.value) return;
  try {
    for (const [i, { method, seed }] of planned.entries()) {
      queue.value = { at: i + 1, of: planned.length, words: `${method}, seed ${seed}` };
      const result = await runBeside(job, { method, seed });
      if (!result || !['finished', 'early'].includes(result.report.ended)) return;
    }
  } finally {
    queue.value = undefined;
  }
}
