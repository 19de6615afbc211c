/**
 * What a run begins with, done ahead. It is in a page's worker before anything is started: nothing here needs the code that reads
 * files, recognises networks, or ends a run (a test holds how large it is).
 */
import { closeImages } from '../data/pixels';
import { TrainingSession } from '../train/training-session';
import { baseline } from './baseline';
import type { RunContext, TrainJob } from './job';
import { load, prepare } from './load';
import { withinMemory } from './memory';
import type { MeasuredStep } from './step-rates';

/** What is known of a run before it begins. */
export interface WarmedUp {
  /** what a step took */
  step: MeasuredStep;
  /** what the network that it starts from told of the test images; absent where its classifier is new */
  base?: { accuracy: number; images: number };
}

/**
 * Does ahead what a run of this job begins with, so that its first step comes soon: compiles the step, and for the built-in
 * network and images loads and evaluates them. The run that follows takes over what is done or still being compiled; of one's own
 * files it takes over the compiled step.
 * @param goOn called now and then; what it throws ends the warm-up, which is to draw nothing beside a run's first step
 */
export async function warmUp(
  job: TrainJob,
  context: Omit<RunContext, 'control' | 'emit'> & { goOn: () => void },
): Promise<WarmedUp> {
  const { goOn } = context;
  const { network, train, test, settings } = await load(job, { ...context, emit() {} });
  try {
    goOn();
    const training = prepare(network, train, test, settings);
    const gpu = await context.gpu();
    const ready = await withinMemory(
      training,
      job.settings,
      () => {},
      () => TrainingSession.create(gpu, training),
    );
    let step: MeasuredStep;
    try {
      await ready.session.ready('train');
      goOn();
      step = await measureStep(ready);
    } finally {
      ready.session.destroy();
    }
    goOn();
    const tested = network.newHead
      ? undefined
      : await baseline(job, gpu, network, test, settings, { ...context, goOn() {} });
    return { step, base: tested && { accuracy: tested.figures.accuracy, images: test.count } };
  } finally {
    await closeImages(train, test);
  }
}

/** Work and time of a step; the first one pays for what is set up late. */
async function measureStep(ready: TrainingSession): Promise<MeasuredStep> {
  await ready.explore();
  const since = performance.now();
  await ready.explore();
  return { flops: ready.stepTotals().flops, ms: performance.now() - since };
}
