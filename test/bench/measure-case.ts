/** One case on one library, in this realm. */
import { selectCases } from '../../src/bench/cases';
import { isNetwork } from '../../src/bench/graphs';
import { type Figure, measure } from '../../src/bench/measure';
import { GpuCounters } from '../../src/gpu/counters';
import type { DeviceRates } from '../../src/runtime/profiler';
import { LIBRARIES, type LibraryName } from './libraries/library';

/** What a measurement came to: a figure, with the device's own rates right after it where the library tells them, or why there is none. */
export type Outcome = (Figure & { rates?: DeviceRates }) | { error: string };

export async function measureCase(name: LibraryName, caseName: string, reps?: number): Promise<Outcome> {
  const counters = GpuCounters.install();
  const [c] = selectCases([caseName]);
  try {
    const library = await LIBRARIES[name].load();
    await library.start();
    const figure = await measure(() => library.job(c), counters, { oneByOne: isNetwork(c), most: reps });
    return { ...figure, rates: await library.rates?.() };
  } catch (error) {
    return { error: String((error as Error)?.message ?? error).slice(0, 400) };
  }
}
