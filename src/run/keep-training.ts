import { DeviceLost } from '../errors';
import type { Gpu } from '../gpu/device';
import type { TrainingState } from '../train/checkpoint';
import type { Observer } from '../train/observer';
import { Trainer } from '../train/trainer';
import type { Training } from '../train/training-session';
import { checkpointAfter } from './checkpoint-file';
import type { RunContext } from './job';
import { withinMemory } from './memory';
import { digestInputs, type SavedRun, type StartedRun, writeCheckpoint } from './resume';
import { whileCompiling } from './while-compiling';

interface KeepTraining {
  gpu: Gpu;
  training: Training;
  /** what checkpoints say of the run beside what the training is */
  run: Pick<StartedRun, 'date' | 'version' | 'adapter' | 'asked'>;
  /** where the run goes on from, the file of it, and digests of what it trains with; absent: it begins */
  from?: Pick<SavedRun, 'file' | 'state'> & { inputs: StartedRun['inputs'] };
  observer: Observer;
  /** throws once the run is stopped, while it has taken no step yet */
  goOn: () => void;
  /** called with the first trainer before its first step; what it throws ends the run */
  ready: (trainer: Trainer) => void;
  /** called when a trainer has taken its first step */
  trains: () => void;
}

/** A device that is lost so many times before the run came further is lost by what the run does. */
const MOST_FRUITLESS = 2;

/** The steps so far, as they are told. */
function pastOf(state?: TrainingState) {
  const { step, points, evals, stepTimes } = state ?? { step: 0, points: [], evals: [], stepTimes: [] };
  return { step, points, evals, stepTimes };
}

/**
 * Trains to the end. Checkpoints are made beside the steps, as events; where the device is lost, the run goes on from the
 * newest of them on another device, or begins again where there is none yet, as long as that brings it further.
 * @returns the trainer that came to the end; its session is to be destroyed
 */
export async function keepTraining(
  { control, emit, gpu: anotherGpu }: RunContext,
  { gpu, training, run, from, observer, goOn, ready, trains }: KeepTraining,
): Promise<Trainer> {
  let newest = from?.state;
  let file = from?.file;
  let inputs: StartedRun['inputs'] | undefined = from?.inputs;
  const checkpoint = async (state: TrainingState) => {
    newest = state;
    inputs ??= await digestInputs(training);
    const { settings, tuning, train } = training;
    const started = {
      ...run,
      settings,
      tuning: tuning ?? gpu.tuning,
      classes: train.classes,
      inputs,
    };
    const bytes = await writeCheckpoint(state, started, trainer.stepsPerEpoch);
    file = checkpointAfter(file);
    emit({ type: 'checkpoint', file, step: state.step, bytes });
  };
  const create = (on: Gpu, isFirst: boolean) => {
    const compiling = async (step: Promise<void>) => {
      await whileCompiling(on, step, {
        // what an earlier trainer has taken is not lost by a stop
        goOn: isFirst ? goOn : () => {},
        tell(done, of) {
          const message = `Compiling the training step: ${done} of ${of} kernels`;
          emit({ type: 'phase', phase: 'compile', message });
        },
      });
      trains();
    };
    return withinMemory(training, run.asked, observer.warning, () =>
      Trainer.create(on, training, { ...observer, checkpoint, compiling }, newest),
    );
  };
  const onAnother = async ({ told, totalSteps }: Trainer): Promise<Trainer | undefined> => {
    const step = newest?.step ?? 0;
    const from = step === told ? 'from there' : step > 0 ? `from step ${step}` : 'from the start';
    observer.warning(
      `The GPU was lost at step ${told} of ${totalSteps}: training goes on ${from}, on a new device.`,
    );
    try {
      return await create(await anotherGpu(), false);
    } catch (error) {
      observer.warning(`There is no new device to go on with (${(error as Error).message}).`);
      return undefined;
    }
  };

  let trainer = await create(gpu, true);
  let fruitless = 0;
  for (let isFirst = true; ; isFirst = false) {
    const begun = newest?.step ?? 0;
    let thrown: { error: unknown } | undefined;
    try {
      if (isFirst) ready(trainer);
      if (newest || !isFirst) emit({ type: 'resumed', file, ...pastOf(newest) });
      await trainer.run(control);
    } catch (error) {
      thrown = { error };
    }
    const isLost = trainer.session.gpu.failure.error instanceof DeviceLost && (thrown || trainer.failure);
    fruitless = (newest?.step ?? 0) > begun ? 0 : fruitless + 1;
    const goesOn = isLost && fruitless < MOST_FRUITLESS && !control.cancelled;
    const next = goesOn ? await onAnother(trainer) : undefined;
    if (!next && !thrown) {
      if (trainer.failure) observer.warning(trainer.failure);
      return trainer;
    }
    trainer.session.destroy();
    if (!next) throw thrown!.error;
    trainer = next;
  }
}
