import { UserError } from '../errors';
import { GpuCounters } from '../gpu/counters';
import type { Gpu } from '../gpu/device';
import { BENCH_CASES, type BenchCase } from './cases';
import { isNetwork } from './graphs';
import { benchJob } from './jobs';
import { type Figure, measure } from './measure';

export interface BenchLine extends Figure {
  case: string;
}

/** The case of that name. Throws a UserError with the names there are. */
export function findCase(name: string): BenchCase {
  const found = BENCH_CASES.find((c) => c.name === name);
  if (found) return found;
  const names = BENCH_CASES.map((c) => c.name).join(', ');
  throw new UserError(`There is no benchmark case "${name}": choose one of ${names}.`);
}

/** Measures one case on our engine. */
export async function benchCase(gpu: Gpu, name: string, reps?: number): Promise<BenchLine> {
  const c = findCase(name);
  const counters = GpuCounters.install();
  const figure = await measure(() => benchJob(gpu, c), counters, { oneByOne: isNetwork(c), most: reps });
  return { case: c.name, ...figure };
}
