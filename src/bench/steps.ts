import type { Gpu } from '../gpu/device';
import { layerCosts } from '../model/layer-costs';
import { createModel } from '../model/zoo';
import { STEP_METHODS, type StepCase } from './cases';
import { trainJob } from './jobs';
import type { Job } from './measure';
import { openTarget } from './profile-target';

/** The images of a step: how many, and their side in pixels. */
export interface StepImages {
  batch: number;
  size: number;
}

const USUAL: StepImages = { batch: 4, size: 64 };
/** of a network with more than `MOST` multiply-adds for an image of the usual size */
const FEW: StepImages = { batch: 2, size: 32 };
const MOST = 150e6;

/** The images that a network's step is measured on: its own side where that is smaller, fewer where it computes much. */
export function stepImages(arch: string): StepImages {
  const model = createModel(arch);
  const of = ({ batch, size }: StepImages) => ({ batch, size: Math.min(size, model.input.size) });
  const { size } = of(USUAL);
  const costs = [...layerCosts(model, size, size).values()];
  const isHeavy = costs.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0) > MOST;
  return of(isHeavy ? FEW : USUAL);
}

/** Steps of a network of the zoo for ten classes, a job each of `STEP_METHODS`. */
export const stepJobs = (gpu: Gpu, { arch }: StepCase): (() => Promise<Job>)[] =>
  STEP_METHODS.map((method) => async () => {
    const { batch, size } = stepImages(arch);
    const options = { network: { arch }, batch, size, method };
    const { session } = await openTarget(gpu, { kind: 'network', options });
    return trainJob(session, batch);
  });
