import type { LabelledImages } from '../data/types';
import { OutOfMemory, Stopped } from '../errors';
import type { Evaluation } from '../train/evaluate';
import type { RunSettings } from '../train/settings';
import { baseline } from './baseline';
import type { FittedNetwork } from './head';
import type { RunContext, TrainJob } from './job';
import { whileCompiling } from './while-compiling';

/** What a run has of its network as it was loaded. */
export interface RunBaseline {
  /** Measures it where that has not been done; says whether it has tried. A run that is stopped meanwhile leaves it for its end. */
  whileRunning(): Promise<boolean>;
  /** What was measured, or is now. Undefined with a new head, and where it could not be measured. */
  inTheEnd(): Promise<Evaluation | undefined>;
}

interface Measuring {
  network: FittedNetwork;
  test: LabelledImages;
  settings: RunSettings;
  /** hears of the figures, once */
  told: (base: Evaluation) => void;
}

/**
 * The network as it was loaded, measured beside a run's training: its kernels and its images would keep the first step waiting.
 */
export function runBaseline(
  job: TrainJob,
  context: RunContext,
  { network, test, settings, told }: Measuring,
): RunBaseline {
  const { control, emit, memo } = context;
  let base: Evaluation | undefined;
  let isOver = network.newHead;
  const tell = (count = '') =>
    emit({ type: 'phase', phase: 'baseline', message: `Measuring the network as it was loaded${count}` });
  const unmeasured = ({ message }: Error) =>
    emit({ type: 'warning', message: `The network as it was loaded could not be measured: ${message}` });
  const measure = async (goOn: () => void) => {
    // a run may have come to another device
    const gpu = await context.gpu();
    tell();
    try {
      base = await whileCompiling(gpu, baseline(job, gpu, network, test, settings, { memo, goOn }), {
        goOn,
        tell: (done, of) => tell(`: ${done} of ${of} kernels compiled`),
      });
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      unmeasured(error);
    }
    isOver = true;
    if (base) told(base);
  };
  return {
    async whileRunning() {
      if (isOver || control.cancelled) return false;
      const goOn = () => {
        if (control.cancelled) throw new Stopped();
      };
      await measure(goOn).catch((error) => {
        if (!(error instanceof Stopped)) throw error;
      });
      return true;
    },
    async inTheEnd() {
      const again = (error: Error) => {
        // the one that a stop has cut off, which was still on its way
        if (error instanceof Stopped) return measure(() => {});
        throw error;
      };
      // the run's work must not be lost with that
      if (!isOver)
        await measure(() => {})
          .catch(again)
          .catch(unmeasured);
      return base;
    },
  };
}
