import { GpuCounters } from '../gpu/counters';
import type { Gpu } from '../gpu/device';
import { selectOurCases } from './cases';
import { isNetwork } from './graphs';
import { benchJob } from './jobs';
import { type Figure, measure } from './measure';
import { stepJob } from './steps';

export interface BenchLine extends Figure {
  case: string;
}

/** Measures one case on our engine, `reps` times at most. Throws a UserError on a name that is none. */
export async function benchCase(gpu: Gpu, name: string, reps?: number): Promise<BenchLine> {
  const [c] = selectOurCases([name]);
  const options = { oneByOne: c.kind === 'step' || isNetwork(c), most: reps };
  const job = () => (c.kind === 'step' ? stepJob(gpu, c) : benchJob(gpu, c));
  const figure = await measure(job, GpuCounters.install(), options);
  return { case: c.name, ...figure };
}
