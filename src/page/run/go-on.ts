/** A run that outlives its engine: what an engine cannot mend by a new device, a new engine does, and then a reload of the page. */
import type { TrainJob, TrainResult, UserFile } from '../../api';
import { DeviceLost } from '../../errors';
import type { CheckpointEvent } from '../../run/checkpoint-file';
import { EngineFailure } from '../../worker/client';
import { engine, replaceEngine } from '../engine';
import { count } from '../format';
import { receive } from './events';
import { stepCount, steps } from './state';

interface Kept {
  /** keeps a checkpoint beyond the page */
  keep: (event: CheckpointEvent) => void;
  /** reloads the page, which goes on; returns where that would not find the run, or has been tried */
  reload?: (step: number) => Promise<void>;
}

export interface Trained {
  result: TrainResult;
  /** of the run's own, the newest */
  checkpoint?: UserFile;
}

/** Engines that fail one after the other before the run came further. */
const MOST_FRUITLESS = 2;

/**
 * Trains; where device or engine are lost, the run goes on from its newest checkpoint, or begins again where it has none.
 * @throws what the last engine failed with, where none brings the run further
 */
export async function trainToTheEnd(job: TrainJob, { keep, reload }: Kept): Promise<Trained> {
  let newest: { step: number; file: UserFile } | undefined;
  let fruitless = 0;
  for (let attempt = job; ; ) {
    const begun = newest?.step ?? 0;
    let lost: { result?: TrainResult; error?: unknown };
    try {
      const result = await engine().train(attempt, (event) => {
        if (event.type !== 'checkpoint') return receive(event);
        newest = { step: event.step, file: { path: event.file, blob: new Blob([event.bytes]) } };
        keep(event);
      });
      if (result.report.ended !== 'failed') return { result, checkpoint: newest?.file };
      lost = { result };
    } catch (error) {
      const isMended = error instanceof DeviceLost || error instanceof EngineFailure;
      // a new engine that finds no GPU is no mistake of the job's
      if (!isMended && attempt === job) throw error;
      lost = { error };
    }
    fruitless = (newest?.step ?? 0) > begun ? 0 : fruitless + 1;
    if (fruitless >= MOST_FRUITLESS) {
      await reload?.(newest?.step ?? 0);
      if (lost.result) return { result: lost.result, checkpoint: newest?.file };
      throw lost.error;
    }
    const at = steps[stepCount.value - 1]?.step ?? 0;
    const from = newest && newest.step > 0 ? `from step ${count(newest.step)}` : 'from the start';
    receive({
      type: 'warning',
      message: `The engine was lost at step ${count(at)}: training goes on ${from}, in a new one.`,
    });
    replaceEngine();
    attempt = newest ? { ...job, resume: { checkpoints: [newest.file] } } : { ...job };
  }
}
