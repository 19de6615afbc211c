/** One case on one library, in this realm. */
import { selectCases } from '../../src/bench/cases';
import { isNetwork } from '../../src/bench/graphs';
import { type Figure, measure } from '../../src/bench/measure';
import { GpuCounters } from '../../src/gpu/counters';
import { LIBRARIES, type LibraryName } from './libraries/library';

/** What a measurement came to: a figure, or why there is none. */
export type Outcome = Figure | { error: string };

export async function measureCase(name: LibraryName, caseName: string, reps?: number): Promise<Outcome> {
  const counters = GpuCounters.install();
  const [c] = selectCases([caseName]);
  try {
    const library = await LIBRARIES[name].load();
    await library.start();
    return await measure(() => library.job(c), counters, { oneByOne: isNetwork(c), most: reps });
  } catch (error) {
    return { error: String((error as Error)?.message ?? error).slice(0, 400) };
  }
}
