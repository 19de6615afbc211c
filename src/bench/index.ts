import { GpuCounters } from '../gpu/counters';
import type { Gpu } from '../gpu/device';
import { STEP_METHODS, selectOurCases } from './cases';
import { isNetwork } from './graphs';
import { benchJob } from './jobs';
import { type Figure, measure, measureInTurns } from './measure';
import { stepJobs } from './steps';

export interface BenchLine extends Figure {
  case: string;
}

/**
 * Measures one case on our engine, 9 times or `most` at most: one line, of a network's step one a method.
 * @throws UserError on a name that is none
 */
export async function benchCase(gpu: Gpu, name: string, most = 9): Promise<BenchLine[]> {
  const [c] = selectOurCases([name]);
  const counters = GpuCounters.install();
  if (c.kind === 'step') {
    const figures = await measureInTurns(stepJobs(gpu, c), counters, most);
    return figures.map((figure, i) => ({ case: `${c.name}-${STEP_METHODS[i]}`, ...figure }));
  }
  const figure = await measure(() => benchJob(gpu, c), counters, { oneByOne: isNetwork(c), most });
  return [{ case: c.name, ...figure }];
}
