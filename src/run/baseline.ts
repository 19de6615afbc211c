import type { LabelledImages } from '../data/types';
import type { Gpu } from '../gpu/device';
import { type Evaluation, evaluateNetwork } from '../train/evaluate';
import type { RunSettings } from '../train/settings';
import { imageSeedOf, validationShareOf } from './data-source';
import type { FittedNetwork } from './head';
import type { TrainJob } from './job';
import type { Memo } from './memo';

/** The network as it was loaded, on the test images. */
export function baseline(
  job: TrainJob,
  gpu: Gpu,
  network: FittedNetwork,
  test: LabelledImages,
  settings: RunSettings,
  { memo, goOn }: { memo: Memo; goOn: () => void },
): Promise<Evaluation> {
  const { model, state } = network;
  const { mean, std, validate } = settings;
  const keep = test.count;
  const evaluate = () => evaluateNetwork(gpu, model, state, test, { mean, std, keep, goOn });
  if (job.model.kind !== 'builtin' || job.test?.kind !== 'builtin') return evaluate();
  const { set } = job.test;
  const tested = [set, test.count, ...(validate ? [validationShareOf(settings), imageSeedOf(settings)] : [])];
  return memo.get(`baseline ${JSON.stringify([gpu.name, tested, mean, std])}`, evaluate);
}
