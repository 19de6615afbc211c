import type { Gpu } from '../gpu/device';
import { createModel } from '../model/zoo';
import type { StepCase } from './cases';
import { trainJob } from './jobs';
import type { Job } from './measure';
import { openTarget } from './profile-target';

/** Images of a step of a network of the zoo, and their largest side in pixels. */
const STEP_BATCH = 4;
const STEP_SIZE = 64;

/** A step of a network of the zoo for ten classes, on images of its own side where that is smaller. */
export async function stepJob(gpu: Gpu, { arch, method }: StepCase): Promise<Job> {
  const size = Math.min(createModel(arch).input.size, STEP_SIZE);
  const options = { network: { arch }, batch: STEP_BATCH, size, method };
  const { session } = await openTarget(gpu, { kind: 'network', options });
  return trainJob(session, STEP_BATCH);
}
