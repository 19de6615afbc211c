/** A run that outlives its engine: what an engine cannot mend by a new device, a new engine does. */
import type { EngineApi, TrainEvent, TrainJob, TrainResult, UserFile } from '../api';
import { DeviceLost, NoWebGpu } from '../errors';

/** What an engine ran in is gone, with all that it knew. */
export class EngineFailure extends Error {
  override name = 'EngineFailure';
}

interface Host {
  /** the engine of the moment */
  engine: () => Pick<EngineApi, 'train'>;
  /** ends it: `engine` gives another one after it */
  replace: () => Promise<void> | void;
  onEvent: (event: TrainEvent) => void;
  /** whether the run is to go on: not where it is to stop anyway */
  goesOn: () => boolean;
  /** default: a timer */
  wait?: (seconds: number) => Promise<void>;
  /** tried where new engines bring the run no further; returns where it is no way on, or has been tried */
  lastWay?: (step: number) => Promise<void>;
}

export interface Trained {
  result: TrainResult;
  /** of the run's own, the newest */
  checkpoint?: UserFile;
}

/** Engines that fail one after the other before the run came further. */
const MOST_FRUITLESS = 2;

/**
 * Seconds between two questions for a GPU after it was lost. A browser starts its GPU process anew; after a second crash Chrome
 * gives the page none for two minutes.
 */
const WAITS = [1, 4, 10, 30, 60, 60];

/** Steps, looks and checkpoints are told by another port than a result or a failure: they may be under way still. */
const allTold = () => timer(0);

const timer = (seconds: number) => new Promise<void>((resolve) => setTimeout(resolve, 1000 * seconds));

/**
 * Trains; where device or engine are lost, the run goes on from its newest checkpoint in a new engine, or begins again where it has
 * none.
 * @throws what the last engine failed with, where none brings the run further
 */
export async function trainOn(
  job: TrainJob,
  { engine, replace, onEvent, goesOn, wait = timer, lastWay }: Host,
): Promise<Trained> {
  let newest: { step: number; file: UserFile } | undefined;
  let told = 0;
  let fruitless = 0;
  let waits = 0;
  for (let attempt = job; ; ) {
    const begun = newest?.step ?? 0;
    let lost: { result?: TrainResult; error?: unknown };
    try {
      const result = await engine().train(attempt, (event) => {
        if (event.type === 'checkpoint')
          newest = { step: event.step, file: { path: event.file, blob: new Blob([event.bytes]) } };
        if (event.type === 'steps') told = event.points.at(-1)?.step ?? told;
        onEvent(event);
      });
      await allTold();
      if (result.report.ended !== 'failed') return { result, checkpoint: newest?.file };
      lost = { result };
    } catch (error) {
      await allTold();
      const isLost = error instanceof DeviceLost || error instanceof EngineFailure;
      // a run that goes on has had a GPU: that there is none is no mistake of the job's
      if (error instanceof NoWebGpu && attempt.resume && waits < WAITS.length && goesOn()) {
        onEvent({ type: 'phase', phase: 'load', message: 'Waiting until there is a GPU again' });
        await wait(WAITS[waits++]);
        await replace();
        continue;
      }
      if (!isLost && attempt === job) throw error;
      lost = { error };
    }
    fruitless = (newest?.step ?? 0) > begun ? 0 : fruitless + 1;
    if (fruitless === 0) waits = 0;
    if (fruitless >= MOST_FRUITLESS) await lastWay?.(newest?.step ?? 0);
    if (fruitless >= MOST_FRUITLESS || !goesOn()) {
      if (lost.result) return { result: lost.result, checkpoint: newest?.file };
      throw lost.error;
    }
    const from = newest && newest.step > 0 ? `from step ${newest.step}` : 'from the start';
    onEvent({
      type: 'warning',
      message: `The engine was lost at step ${told}: training goes on ${from}, in a new one.`,
    });
    await replace();
    attempt = newest ? { ...job, resume: { checkpoints: [newest.file] } } : { ...job };
  }
}
