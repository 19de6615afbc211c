/** Runs one after the other: the other seeds of two methods. */
import type { Method, TrainJob } from '../../api';
import { series } from '../gpu-use';
import { runBeside } from '../run/run';

export interface Planned {
  method: Method;
  seed: number;
}

/** Does these runs in turn; one that is stopped or fails ends the queue. */
export async function runAll(job: TrainJob, planned: readonly Planned[]): Promise<void> {
  if (series.value) return;
  try {
    for (const [i, { method, seed }] of planned.entries()) {
      series.value = { at: i + 1, of: planned.length, words: `${method}, seed ${seed}` };
      const outcome = await runBeside(job, { method, seed });
      const result = outcome?.result;
      if (!result || !['finished', 'early'].includes(result.report.ended)) return;
    }
  } finally {
    series.value = undefined;
  }
}
