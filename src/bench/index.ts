import { GpuCounters } from '../gpu/counters';
import type { Gpu } from '../gpu/device';
import { selectCases } from './cases';
import { isNetwork } from './graphs';
import { benchJob } from './jobs';
import { type Figure, measure } from './measure';

export interface BenchLine extends Figure {
  case: string;
}

/** Measures one case on our engine, `reps` times at most. Throws a UserError on a name that is none. */
export async function benchCase(gpu: Gpu, name: string, reps?: number): Promise<BenchLine> {
  const [c] = selectCases([name]);
  const options = { oneByOne: isNetwork(c), most: reps };
  const figure = await measure(() => benchJob(gpu, c), GpuCounters.install(), options);
  return { case: c.name, ...figure };
}
